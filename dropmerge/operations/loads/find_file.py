"""The one object generation that a person names, among those that the journal and the landing bucket know."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta

from dropmerge.operations.connection import Connection
from dropmerge.operations.dead_letters.reading import read_story
from dropmerge.operations.errors import UsageError
from dropmerge.operations.file_name import FileName, name_of_file
from dropmerge.operations.loads.events import object_of
from dropmerge.operations.loads.landing import Landing
from dropmerge.operations.loads.status import merged_among, statuses_of
from services.shared.generation import ObjectGeneration
from services.shared.load import Load

_REMEMBERED = timedelta(days=90)
"""How far back the journal is searched for a name that does not begin with gs://."""
_MOST = 10


def find_file(connection: Connection, text: str) -> ObjectGeneration:
    """Of gs://bucket/object, and of a name without a generation, the latest one; generation 0 where gs://bucket/object
    has none that is known. Raises UsageError, which lists the candidates where several files fit."""
    name = name_of_file(text)
    if name.bucket is not None and name.load_id is None:
        literal = ObjectGeneration(
            name.bucket, name.name, name.generation or latest(connection, name.bucket, name.name)
        )
        if literal.generation or not name.is_glob:
            return literal
    found = set(_by_id(connection, name)) or _by_name(connection, name)
    if len({source.uri for source in found}) > 1:
        raise UsageError(_ambiguous(text, found))
    if not found:
        raise UsageError(
            f"no file is called {text!r}: neither the journal (of {_REMEMBERED.days} days) nor the last day of the "
            f"bucket has one; by its whole name, gs://bucket/object, an older one is found"
        )
    one = max(found, key=lambda source: source.generation)
    newest = one.generation if name.generation else max(one.generation, live(connection, one.bucket, one.name) or 0)
    return ObjectGeneration(one.bucket, one.name, newest)


def latest(connection: Connection, bucket: str, name: str) -> int:
    """The live generation of an object, or the last one that the journal knows; 0 where there is none."""
    found = live(connection, bucket, name)
    if found is not None:
        return found
    parameters = {"bucket": ("STRING", bucket), "object": ("STRING", name), "since": ("TIMESTAMP", remembered_since())}
    rows = connection.query("latest_generation.sql", parameters)
    return int(rows[0]["generation"] or 0) if rows else 0


def live(connection: Connection, bucket: str, name: str) -> int | None:
    """The generation that the bucket has; None where it has none of that name."""
    from google.api_core.exceptions import NotFound

    try:
        blob = connection.storage.bucket(bucket).get_blob(name)
    except NotFound:
        return None
    return int(blob.generation) if blob else None


def _by_id(connection: Connection, name: FileName) -> Iterator[ObjectGeneration]:
    if name.load_id:
        yield from _of_load(connection, name.load_id)
    elif name.text.isdecimal():
        yield from _of_dead_letter(connection, name.text)


def _of_load(connection: Connection, load_id: str) -> Iterator[ObjectGeneration]:
    parameters = {"load_ids": ("STRING", load_id), "since": ("TIMESTAMP", remembered_since())}
    rows = connection.query("objects_of_loads.sql", parameters)
    if known := {object_of(row) for row in rows}:
        yield from known
        return
    # What the journal has forgotten is still in the archive.
    for feed in connection.feeds:
        for blob in connection.storage.list_blobs(connection.archive, prefix=f"{feed}/{load_id}"):
            if load := Load.from_archive(blob.name, blob.metadata):
                yield load.source


def _of_dead_letter(connection: Connection, dead_letter_id: str) -> Iterator[ObjectGeneration]:
    parameters = {"id": ("STRING", dead_letter_id), "since": ("TIMESTAMP", remembered_since())}
    rows = connection.query("object_of_dead_letter.sql", parameters)
    if rows:
        yield object_of(rows[0])
        return
    try:
        letter = read_story(connection, dead_letter_id).letter
    except UsageError:
        return
    if letter.source is None:
        raise UsageError(
            f"dead letter {dead_letter_id} does not say which file it is about: "
            f"`dropmerge dead-letters show {dead_letter_id}` shows its message"
        )
    yield letter.source


def _by_name(connection: Connection, name: FileName) -> set[ObjectGeneration]:
    """Of the journal, else of the young objects of the landing bucket; an ending in the middle of a word only where
    nothing else fits."""
    ending = re.split(r"[*?\]\[]", name.name)[-1]
    parameters = {"ending": ("STRING", ending), "since": ("TIMESTAMP", remembered_since())}
    known = [object_of(row) for row in connection.query("known_objects.sql", parameters)]
    if found := _fitting(name, known):
        return found
    there = Landing(connection).list_young().young
    return _fitting(name, there) or {source for source in [*known, *there] if name.ends(source.name)}


def _fitting(name: FileName, known: Iterable[ObjectGeneration]) -> set[ObjectGeneration]:
    return {source for source in known if name.fits(source)}


def _ambiguous(text: str, found: Iterable[ObjectGeneration]) -> str:
    uris = sorted({source.uri for source in found})
    more = [f"  … and {len(uris) - _MOST} more"] if len(uris) > _MOST else []
    return "\n".join(
        [f"{text!r} fits {len(uris)} files: name one of them", *(f"  {uri}" for uri in uris[:_MOST]), *more]
    )


def ended_among(connection: Connection, load_ids: Collection[str]) -> frozenset[str]:
    """Those of these loads that are in a final state."""
    if not load_ids:
        return frozenset()
    parameters = {"load_ids": ("STRING", ",".join(load_ids)), "since": ("TIMESTAMP", remembered_since())}
    sources = {object_of(row) for row in connection.query("objects_of_loads.sql", parameters)}
    ended = {one.load.load_id for one in statuses_of(connection, sources) if one.load and one.state.is_terminal}
    return frozenset(ended | merged_among(connection, list(load_ids)).keys())


def remembered_since() -> datetime:
    """Since when the journal knows files by name."""
    return datetime.now(UTC) - _REMEMBERED
