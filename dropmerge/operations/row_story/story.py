"""The story of a key: what else has it beside the main table, and why that is not the table's row."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import NotDone, UsageError
from dropmerge.operations.loads.find_file import find_file
from dropmerge.operations.loads.history import read_history
from dropmerge.operations.loads.states import State
from dropmerge.operations.loads.status import merged_among
from dropmerge.operations.rebuild.archive import pinned
from dropmerge.operations.rejected.row import Fault, RejectedRow
from dropmerge.operations.row_story.decided import compare_versions, decide, named, version_of
from dropmerge.operations.row_story.found import FoundRow, find_rows
from dropmerge.operations.row_story.key import Key
from dropmerge.operations.row_story.look import Looked, look_into
from dropmerge.operations.row_story.rejected import RejectedWithKey, find_rejected
from dropmerge.operations.row_story.unmerged import Unmerged, find_unmerged, staging_tables
from dropmerge.operations.row_story.whereabouts import Whereabouts, of_history, of_unmerged
from dropmerge.operations.row_story.wording import Wording, joined, say, value
from services.shared.contract.feed import Feed
from services.shared.contract.history import versions_table
from services.shared.contract.order import ADOPTED
from services.shared.errors import NotFoundError
from services.shared.generation import ObjectGeneration
from services.shared.load import Load

MOST_FILES = 10
MOST_BYTES = 256 * 2**20
"""Of files that are looked into without being named: the newest, and their copies' bytes together."""
_AT_ONCE = 4
_MOST_STAGED = 50
_SHOWN_CHARACTERS = 40
_WITHOUT_ROW = ("absent", "unreadable", "not_looked")


@dataclass(frozen=True)
class Piece:
    """One row of the key, or a file that may have one."""

    source: str
    """gs://bucket/object#generation."""
    state: str
    """Of the file."""
    verdict: str
    """Of a good row against the table's: `newer`, `older`, `same`, or `found` where nothing is compared. `rejected` of
    a bad one, `possible` of a record that cannot be read and has the key's texts. `absent`, `unreadable` or
    `not_looked` of a file."""
    sentence: Wording
    record: int | None = None
    """The record's number in the file, from 1."""
    version: Wording | None = None
    reasons: Sequence[str] = ()
    """Why the row, or the file, was refused."""
    dead_letter: str | None = None

    @property
    def has_row(self) -> bool:
        return self.verdict not in _WITHOUT_ROW

    @property
    def is_open(self) -> bool:
        """Whether it is not known if it has the key."""
        return self.verdict in ("unreadable", "not_looked")

    def as_json(self, has_values: bool) -> dict[str, Any]:
        """Keys source, state, record, version, verdict, reasons, dead_letter, sentence."""
        version = self.version.shown(has_values) if self.version else None
        words = {"sentence": self.sentence.shown(has_values), "version": version}
        return {**asdict(self), **words, "reasons": list(self.reasons)}


def tell_story(connection: Connection, key: Key) -> list[Piece]:
    """What is known beside the main table's row: rows first, files without one last; of each the newest first."""
    unmerged = find_unmerged(connection, key.feed)
    stands = {one.load.source: of_unmerged(one) for one in unmerged}
    rejected = _by_file(find_rejected(connection, key))
    known = _of_rejected(connection, key, rejected, stands) if rejected else ()
    others = [one for one in unmerged if one.load.source not in rejected]
    pieces = [*known, *_of_staged(connection, key, others), *_of_versions(connection, key)]
    pieces += _of_files(connection, key, [one for one in others if one.staging is None])
    newest_first = sorted(pieces, key=lambda one: int(one.source.rpartition("#")[2]), reverse=True)
    return sorted(newest_first, key=lambda one: not one.has_row)


def tell_of_file(connection: Connection, key: Key, file: str) -> list[Piece]:
    """What a file has of the key, and which rule decides. Raises UsageError and NotDone."""
    source = find_file(connection, file)
    if not source.generation:
        raise NotDone(f"{source.uri} is not there")
    load = _load(connection, key.feed, source)
    history = read_history(connection, load.source)
    return list(_of_looked(key, load, of_history(history), look_into(connection, load, key)))


def feed_of_file(connection: Connection, file: str) -> Feed | None:
    """The feed that wants a file, or that its archived copy is of."""
    source = find_file(connection, file)
    if source.bucket != connection.archive:
        return connection.feed_of(source.name)
    return connection.feeds.get(source.name.partition("/")[0])


def _load(connection: Connection, feed: Feed, source: ObjectGeneration) -> Load:
    if source.bucket != connection.archive:
        return Load(feed.name, source)
    blob = connection.storage.bucket(source.bucket).get_blob(source.name)
    load = Load.from_archive(source.name, blob.metadata) if blob else None
    if load is None:
        raise NotDone(f"{source.uri} is no copy that ingest has put there")
    if load.feed != feed.name:
        raise UsageError(f"{source.uri} is a file of {load.feed}, not of {feed.name}")
    return load


def _by_file(found: Iterable[RejectedWithKey]) -> dict[ObjectGeneration, list[RejectedWithKey]]:
    by_file: dict[ObjectGeneration, list[RejectedWithKey]] = {}
    for one in found:
        by_file.setdefault(one.row.load.source, []).append(one)
    return by_file


def _of_rejected(
    connection: Connection,
    key: Key,
    found: Mapping[ObjectGeneration, Sequence[RejectedWithKey]],
    stands: Mapping[ObjectGeneration, Whereabouts],
) -> Iterator[Piece]:
    merged = merged_among(connection, sorted({rows[0].row.load.load_id for rows in found.values()}))
    main = next(iter(find_rows(connection.warehouse, key.feed, key, [_main(connection, key)])), None)
    for source, rows in found.items():
        if rows[0].row.load.load_id in merged:
            where = Whereabouts(State.MERGED)
        else:
            where = stands.get(source) or of_history(read_history(connection, source))
        yield from (_rejected(key, one.row, where, main, one.has_key) for one in rows)


def _main(connection: Connection, key: Key) -> str:
    return f"{connection.project}.{key.feed.table}"


def _rejected(key: Key, row: RejectedRow, where: Whereabouts, main: FoundRow | None, has_key: bool = True) -> Piece:
    source, feed = row.load.source, key.feed
    version = named(feed.versions, [row.row.get(name) for name in feed.versions]) if has_key else say("")
    begin = say("{} has this row{}{}", _name(source), _in_record(row.record), _with(version))
    compared = compare_versions(feed, row.row, main) if main else None
    if main and compared:
        to = "to" if compared == "equal" else "than"
        begin = say("{}, {} {} the table's {}", begin, compared, to, version_of(feed, main))
    if not has_key:
        what = "which cannot be read and has the key's text"
        begin = say("{} may have this row{}, {}", _name(source), _in_record(row.record), what)
    end = "the other rows of the file are merged" if where.state == State.MERGED else f"the file is {where.words}"
    return Piece(
        str(source),
        where.state.value,
        "rejected" if has_key else "possible",
        say("{}: {}; {}.", begin, joined(", ", map(_fault, row.faults)), end),
        row.record,
        version or None,
        row.reasons,
        where.letter,
    )


def _fault(fault: Fault) -> Wording:
    if fault.column is None:
        return say("{}", fault.reason)
    if fault.value is None:
        return say("{} is {}", fault.column, fault.reason)
    shown = fault.value if len(fault.value) <= _SHOWN_CHARACTERS else f"{fault.value[:_SHOWN_CHARACTERS]}…"
    return say('{} "{}" is {}', fault.column, value(shown), fault.reason)


def _of_staged(connection: Connection, key: Key, files: Sequence[Unmerged]) -> Iterator[Piece]:
    staged = {one.staging: one for one in files if one.staging}
    tables = list(staged)[:_MOST_STAGED]
    if not tables:
        return
    main = _main(connection, key)
    try:
        rows = find_rows(connection.warehouse, key.feed, key, [main, *tables])
    except NotFoundError:
        # One was merged meanwhile.
        there = staging_tables(connection, key.feed).values()
        rows = find_rows(connection.warehouse, key.feed, key, [main, *(one for one in tables if one in there)])
    table_row = next((row for row in rows if row.table == main), None)
    own: dict[str, list[FoundRow]] = {}
    for row in rows:
        own.setdefault(row.table, []).append(row)
    for table in tables:
        one = staged[table]
        found = Looked(own.get(table, ()), [None] * len(own.get(table, ())), key.feed)
        yield from _of_looked(key, one.load, of_unmerged(one), found, table_row)
    yield from (_not_looked(key, staged[table]) for table in list(staged)[_MOST_STAGED:])


def _of_versions(connection: Connection, key: Key) -> Iterator[Piece]:
    """The versions that are kept of the key, but for the newest, which is the table's row."""
    feed = key.feed
    if not feed.history:
        return
    rows = find_rows(connection.warehouse, feed, key, [f"{connection.project}.{versions_table(feed.table)}"])
    for row in (one for one in rows[1:] if one.load_id != ADOPTED):
        version = version_of(feed, row)
        what = "deleted it" if row.is_deleted else "had this row"
        begin = say("{} {}{}", _name(row.source), what, _with(version))
        table = version_of(feed, rows[0])
        sentence = say("{}, older than the table's {}: it was merged and is history.", begin, table)
        yield Piece(str(row.source), State.MERGED.value, "older", sentence, None, version or None)


def _of_files(connection: Connection, key: Key, files: Sequence[Unmerged]) -> Iterator[Piece]:
    """The newest are looked into."""
    wanted = _affordable(connection, key, files[:MOST_FILES])
    if len(wanted) > 1:
        connection.say(f"looking into {len(wanted)} files that are not merged")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        looked = list(pool.map(lambda one: look_into(connection, one.load, key), wanted))
    for one, found in zip(wanted, looked, strict=True):
        pieces = _of_looked(key, one.load, of_unmerged(one), found)
        # Of a file that was never meant for this feed there is nothing to say.
        yield from (piece for piece in pieces if piece.has_row or not one.is_stray)
    left = [one for one in files if one not in wanted]
    yield from (_not_looked(key, one) for one in left if not one.is_stray)
    yield from _strays([one for one in left if one.is_stray])


def _affordable(connection: Connection, key: Key, files: Sequence[Unmerged]) -> list[Unmerged]:
    left, found = MOST_BYTES, []
    for one in files:
        copy = next(pinned(connection, key.feed.name, one.load.load_id), None)
        size = copy.size if copy else 0
        if size <= left:
            left -= size
            found.append(one)
    return found


def _not_looked(key: Key, one: Unmerged) -> Piece:
    where, source = of_unmerged(one), one.load.source
    sentence = say(
        "{}, which is {}, was not looked into: `{}` does.", _name(source), where.words, command(key, source)
    )
    return Piece(str(source), where.state.value, "not_looked", sentence, dead_letter=where.letter)


def _strays(left: Sequence[Unmerged]) -> Iterator[Piece]:
    """One for all that no feed wants: there may be thousands, and few were meant for this one."""
    if left:
        source, reason = str(left[0].load.source), "no_feed"
        what = f"{len(left)} more files that no feed wants were not looked into"
        sentence = say(
            "{}: `dropmerge dead-letters list --reason {}` lists them, and --in looks into one.", what, reason
        )
        yield Piece(source, left[0].state.value, "not_looked", sentence, reasons=[reason])


def command(key: Key, file: object) -> str:
    """What to type to look into one file."""
    words = ["--feed", key.feed.name, "--row", *(f"{name}={text}" for name, text in key.texts.items())]
    return shlex.join(["dropmerge", "explain", *words, "--in", str(file)])


def _of_looked(
    key: Key, load: Load, where: Whereabouts, found: Looked, table_row: FoundRow | None = None
) -> Iterator[Piece]:
    source = load.source
    reasons = [where.reason] if where.reason else []
    file = Piece(str(source), where.state.value, "absent", say(""), reasons=reasons, dead_letter=where.letter)
    is_merged = where.state == State.MERGED
    what = "" if is_merged else f", which is {where.words},"
    if found.problem == "empty_file":
        yield replace(file, sentence=say("{}{} is empty and does not have this key.", _name(source), what))
        return
    if found.problem:
        why = f"it is {where.words}" if found.problem == where.reason else found.problem
        which = what if why == found.problem else ""
        sentence = say("{}{} could not be read: {}.", _name(source), which, why)
        yield replace(file, verdict="unreadable", reasons=[found.problem], sentence=sentence)
        return
    main = table_row or next((row for row in found.rows if row.table.endswith(f".{key.feed.table}")), None)
    own = [row for row in found.rows if row is not main]
    if not own:
        yield replace(file, sentence=say("{}{} does not have this key.", _name(source), what))
    for row, record in zip(own, found.records, strict=True):
        if row.reasons:
            yield _rejected(key, RejectedRow(load, row.row_text or "{}", row.reasons, record), where, main)
        else:
            assert found.reading
            yield _good(key, found.reading, replace(file, record=record), where, row, main)


def _good(key: Key, reading: Feed, file: Piece, where: Whereabouts, row: FoundRow, main: FoundRow | None) -> Piece:
    decision = decide(key.feed, reading, row, main)
    what = "deletes this row" if row.is_deleted else "has this row"
    begin = say("{} {}{}{}", _name(row.source), what, _in_record(file.record), decision.words)
    return replace(
        file,
        verdict=decision.verdict,
        version=version_of(reading, row) or None,
        sentence=say("{}. {}", begin, _outcome(where, decision.verdict, row, main)),
    )


def _outcome(where: Whereabouts, verdict: str, row: FoundRow, main: FoundRow | None) -> str:
    if where.state != State.MERGED:
        return where.why_not_merged
    if main and row.load_id == main.load_id and verdict == "same":
        return "It is the table's row."
    if main and main.is_deleted and row.load_id == main.load_id:
        return "So it is deleted."
    if verdict == "older":
        return "The table's row wins."
    return "The file is merged, and yet this is not the table's row: `dropmerge verify` compares table and files."


def _with(version: Wording) -> Wording:
    return say(" with {}", version) if version else say("")


def _in_record(record: int | None) -> str:
    return "" if record is None else f" in record {record}"


def _name(source: ObjectGeneration) -> str:
    return PurePosixPath(source.name).name
