"""Files that appear whole or not at all, on disk or in a bucket.

Everything is written to a temporary file first. A file on disk is then renamed in place; an object is uploaded in
one piece. Whatever fails before that leaves nothing under the final name.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from google.api_core.exceptions import GoogleAPIError, PreconditionFailed
from google.auth.exceptions import GoogleAuthError
from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY
from requests import RequestException

from generator.errors import GeneratorError

_BUCKET_SCHEME = "gs://"
# The client would look for a bucket that does not answer for two minutes, without a word.
_RETRY = DEFAULT_RETRY.with_timeout(8.0)
_FAILURES = (GoogleAPIError, RequestException)


def is_object(place: str) -> bool:
    """Whether a place is `gs://bucket/object` rather than a path."""
    return place.startswith(_BUCKET_SCHEME)


def refuse_existing(place: str) -> None:
    """GeneratorError when there is something at that place already."""
    if _exists(place) if is_object(place) else os.path.lexists(place):
        raise GeneratorError(f"{place} exists already; --force overwrites it")


def _exists(place: str) -> bool:
    try:
        return bool(_blob(place).exists(retry=_RETRY))
    except _FAILURES as error:
        raise GeneratorError(f"{place} cannot be reached: {error}") from error


@contextmanager
def new_file(place: str, force: bool, content_type: str = "text/csv") -> Iterator[Path]:
    """A temporary path to write to; it becomes `place` when the block ends, and vanishes when the block fails.

    GeneratorError when `place` exists and `force` is not set, at the beginning or at the end of the block, or when
    it cannot be written.
    """
    if not force:
        refuse_existing(place)
    folder = None if is_object(place) else Path(place).absolute().parent
    try:
        handle, name = tempfile.mkstemp(prefix=f".{Path(place).name}.", suffix=".part", dir=folder)
    except OSError as error:
        raise GeneratorError(f"{place} cannot be written: {error.strerror}") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        if is_object(place):
            _upload(temporary, place, force, content_type)
        else:
            _rename(temporary, place, force)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def local_copy(place: str) -> Iterator[Path]:
    """A path to read a place from: itself when it is a path, a temporary download when it is an object."""
    if not is_object(place):
        yield Path(place)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / place.rpartition("/")[2]
        try:
            _blob(place).download_to_filename(str(path), retry=_RETRY)
        except _FAILURES as error:
            raise GeneratorError(f"{place} cannot be read: {error}") from error
        yield path


def _rename(temporary: Path, place: str, force: bool) -> None:
    if not force:
        refuse_existing(place)
    umask = os.umask(0)
    os.umask(umask)
    temporary.chmod(0o666 & ~umask)  # as a plainly opened file would be
    try:
        temporary.replace(place)
    except OSError as error:
        raise GeneratorError(f"{place} cannot be written: {error.strerror}") from error


def _upload(temporary: Path, place: str, force: bool, content_type: str) -> None:
    try:
        _blob(place).upload_from_filename(
            str(temporary), content_type=content_type, if_generation_match=None if force else 0, retry=_RETRY
        )
    except PreconditionFailed as error:
        raise GeneratorError(f"{place} exists already; --force overwrites it") from error
    except _FAILURES as error:
        raise GeneratorError(f"{place} cannot be written: {error}") from error


def _blob(place: str) -> storage.Blob:
    bucket, _, name = place.removeprefix(_BUCKET_SCHEME).partition("/")
    if not bucket or not name or name.endswith("/"):
        raise GeneratorError(f"{place} is not gs://bucket/object")
    try:
        return storage.Client().bucket(bucket).blob(name)
    except GoogleAuthError as error:
        raise GeneratorError(f"{place} cannot be reached: {error}") from error
