"""Files put in the landing bucket, where the pipeline finds them."""

from __future__ import annotations

import mimetypes
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader, FileIO
from pathlib import Path

from dropmerge.operations.connection import Connection
from dropmerge.operations.errors import UsageError
from dropmerge.operations.gcs_uri import GcsUri
from services.shared.generation import ObjectGeneration

_TIMEOUT = 600.0
_CHUNK_BYTES = 8 * 2**20
"""What is sent at once of a larger file. Google advises no less
(https://cloud.google.com/storage/docs/performing-resumable-uploads#chunked-upload)."""

Progress = Callable[[int], None]
"""Is called with how many bytes of the file have been sent."""


@dataclass(frozen=True)
class Target:
    file: Path
    uri: GcsUri


def find_targets(
    connection: Connection, files: Sequence[Path], feed: str | None = None, to: GcsUri | None = None
) -> list[Target]:
    """Where each file goes: to `to`, or where the feed looks. Raises UsageError."""
    targets = [Target(path, _target(connection, path, feed, to, len(files))) for path in files]
    for target in targets:
        if glob := connection.ignored_by(target.uri.name):
            raise UsageError(
                f"{target.uri.name} would be ignored, by {glob} in deploy/topology.yaml: rename it, or --to"
            )
        try:
            target.uri.name.encode()
        except UnicodeEncodeError:
            name = ascii(str(target.file))
            raise UsageError(f"{name}: not UTF-8, as an object's name must be: use --to gs://BUCKET/NAME") from None
    return targets


def find_overwritten(connection: Connection, targets: Sequence[Target]) -> Iterator[GcsUri]:
    """Objects that are there already, or would be written twice."""
    for uri, times in Counter(target.uri for target in targets).items():
        if times > 1 or connection.storage.bucket(uri.bucket).blob(uri.name).exists():
            yield uri


def drop(connection: Connection, target: Target, progress: Progress) -> ObjectGeneration:
    """Upload a file; returns the object generation that it is now."""
    blob = connection.storage.bucket(target.uri.bucket).blob(target.uri.name, chunk_size=_CHUNK_BYTES)
    size = target.file.stat().st_size
    with _WatchedFile(FileIO(target.file), progress) as file:
        kind = mimetypes.guess_type(target.file)[0]
        blob.upload_from_file(file, size=size, content_type=kind, timeout=_TIMEOUT)
    progress(size)
    return ObjectGeneration(target.uri.bucket, target.uri.name, int(blob.generation or 0))


class _WatchedFile(BufferedReader):
    """Reports how much of it was sent: what comes before what is read now."""

    def __init__(self, raw: FileIO, progress: Progress) -> None:
        super().__init__(raw)
        self._progress = progress

    def read(self, size: int | None = -1, /) -> bytes:
        """As any file."""
        self._progress(self.tell())
        return super().read(size)


def _target(connection: Connection, path: Path, feed: str | None, to: GcsUri | None, count: int) -> GcsUri:
    if to is not None:
        return _below(to, path, count)
    chosen = connection.feed(feed)
    name = re.split(r"[*?]", chosen.objects)[0] + path.name
    if not chosen.wants(name):
        raise UsageError(f"{name} does not match the feed's pattern {chosen.objects}: use --to")
    return GcsUri(connection.landing, name)


def _below(to: GcsUri, path: Path, count: int) -> GcsUri:
    if not to.name:
        raise UsageError("--to has no name after the bucket")
    is_folder = to.name.endswith("/")
    if count > 1 and not is_folder:
        raise UsageError("several files need a folder: end --to with /")
    return GcsUri(to.bucket, to.name + path.name) if is_folder else to
