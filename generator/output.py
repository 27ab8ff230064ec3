"""Files that appear whole or not at all, on disk or in a bucket.

Everything is written to a temporary file first. A file on disk is then renamed in place; an object is uploaded in
one piece. Whatever fails before that leaves nothing under the final name.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from generator.errors import GeneratorError

_BUCKET_SCHEME = "gs://"


def is_object(place: str) -> bool:
    """Whether a place is `gs://bucket/object` rather than a path."""
    return place.startswith(_BUCKET_SCHEME)


def refuse_existing(place: str) -> None:
    """GeneratorError when there is something at that place already."""
    if _exists(place):
        raise GeneratorError(f"{place} exists already; --force overwrites it")


def _exists(place: str) -> bool:
    if not is_object(place):
        return os.path.lexists(place)
    from generator import objects  # Google's client takes as long to import as all else: only where it is of use

    return objects.exists(place)


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
            from generator import objects

            objects.upload(temporary, place, force, content_type)
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
    from generator import objects

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / place.rpartition("/")[2]
        objects.download(place, path)
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
