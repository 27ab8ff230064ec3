"""Pin a generation: copy it, server-side, to a name of its own in the archive bucket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from google.api_core import exceptions
from google.cloud.storage import Blob, Client

from services.ingest.formats.compression import GZIP
from services.ingest.inspect_head import HEAD_BYTES
from services.shared.contract.formats import GZIP_SUFFIX, Format
from services.shared.errors import PermanentError
from services.shared.generation import ObjectGeneration
from services.shared.google_errors import translated
from services.shared.load import Load

_TIMEOUT = 60.0


@dataclass(frozen=True)
class Pinned:
    """The immutable copy of a generation."""

    blob: Blob
    """With its size and digest."""
    head: bytes
    """Its first bytes, packed as they may be: all of it, or `HEAD_BYTES`."""


@translated()
def pin(client: Client, load: Load, form: Format, archive: str) -> Pinned | None:
    """The copy, made now or by an earlier delivery; None when a newer generation has overwritten this one.

    The head is read once, of the source: it says what the copy is called too, and a generation does not change.

    Raises: PermanentError("object_gone") when it is gone and nothing is in its place, NotFoundError when a bucket is
    gone, and as `classify` does.
    """
    names, head = [load.archive_name(suffix) for suffix in (form.suffix, form.suffix + GZIP_SUFFIX)], None
    try:
        head = _head(client.bucket(load.source.bucket).blob(load.source.name, generation=load.source.generation))
        names = [load.archive_name(_suffix(form, head))]
        target = client.bucket(archive).blob(names[0])
        _copy(client, load, form, target)
    except (exceptions.PreconditionFailed, exceptions.NotFound, exceptions.Forbidden) as error:
        # Another delivery pinned it first, the source's generation is gone, or a bucket is. What may only create is
        # refused where an object is already, in place of 412: for want of storage.objects.delete, or by the retention
        # policy (https://cloud.google.com/storage/docs/bucket-lock).
        blob = _first(client, archive, names)
        if blob is None:
            _require_overwritten(client, load.source, archive, error)
            return None
        # By name alone: whichever delivery pinned it, the bytes are the same.
        blob.reload(timeout=_TIMEOUT)
        return Pinned(blob, _head(blob) if head is None else head)
    return Pinned(target, head)


def _require_overwritten(client: Client, source: ObjectGeneration, archive: str, error: Exception) -> None:
    """Raises unless a newer generation is in the place of one that is neither pinned nor there."""
    if isinstance(error, exceptions.Forbidden) or not _buckets_exist(client, source.bucket, archive):
        raise error
    live = _live_generation(client, source)
    if live == source.generation:
        raise error
    if live < source.generation:
        raise _gone(source) from None


def _head(blob: Blob) -> bytes:
    try:
        # Raw: what is marked Content-Encoding: gzip comes unpacked otherwise
        # (https://cloud.google.com/storage/docs/transcoding).
        return bytes(blob.download_as_bytes(start=0, end=HEAD_BYTES - 1, raw_download=True, timeout=_TIMEOUT))
    except exceptions.RequestRangeNotSatisfiable:  # it has no bytes
        return b""


def _suffix(form: Format, head: bytes) -> str:
    """Of the pinned copy, by the file's first bytes: BigQuery, which need not guess, is told by the name that it is
    packed."""
    return form.suffix + GZIP_SUFFIX if head.startswith(GZIP) else form.suffix


def _first(client: Client, bucket: str, names: Sequence[str]) -> Blob | None:
    blobs = (client.bucket(bucket).blob(name) for name in names)
    return next((blob for blob in blobs if blob.exists(timeout=_TIMEOUT)), None)


def _copy(client: Client, load: Load, form: Format, target: Blob) -> None:
    """The last answer describes the copy. A large object takes several calls
    (https://cloud.google.com/storage/docs/json_api/v1/objects/rewrite)."""
    # Of its own: what the sender declared, such as Content-Encoding, says nothing about how it is loaded.
    target.content_type = "application/gzip" if target.name.endswith(GZIP_SUFFIX) else form.content_type
    target.metadata = load.archive_metadata
    generation = load.source.generation
    source = client.bucket(load.source.bucket).blob(load.source.name, generation=generation)
    only_if = {"if_generation_match": 0, "if_source_generation_match": generation, "timeout": _TIMEOUT}
    token, _, _ = target.rewrite(source, **only_if)
    while token is not None:
        token, _, _ = target.rewrite(source, token=token, **only_if)


def _live_generation(client: Client, source: ObjectGeneration) -> int:
    """Of the object; -1 where there is none."""
    live = client.bucket(source.bucket).get_blob(source.name, timeout=_TIMEOUT)
    return -1 if live is None else int(live.generation)


def _gone(source: ObjectGeneration) -> PermanentError:
    return PermanentError(
        "object_gone",
        f"{source} was deleted or moved before it was read, or never existed: its rows are not in the table. "
        "Have the file sent again, and let the sender move a file only once it is merged",
    )


def _buckets_exist(client: Client, *names: str) -> bool:
    return all(client.bucket(name).exists(timeout=_TIMEOUT) for name in names)
