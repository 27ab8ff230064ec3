"""Objects in a bucket, as `generator.output` reads and writes them. Each function raises GeneratorError."""

from pathlib import Path

from google.api_core.exceptions import GoogleAPIError, PreconditionFailed
from google.auth.exceptions import GoogleAuthError
from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY
from requests import RequestException

from generator.errors import GeneratorError

# The client would look for a bucket that does not answer for two minutes, without a word.
_RETRY = DEFAULT_RETRY.with_timeout(8.0)
_FAILURES = (GoogleAPIError, RequestException)


def exists(place: str) -> bool:
    """Whether there is an object at `gs://bucket/object`."""
    try:
        return bool(_blob(place).exists(retry=_RETRY))
    except _FAILURES as error:
        raise GeneratorError(f"{place} cannot be reached: {error}") from error


def download(place: str, path: Path) -> None:
    """The object's bytes, to a file."""
    try:
        _blob(place).download_to_filename(str(path), retry=_RETRY)
    except _FAILURES as error:
        raise GeneratorError(f"{place} cannot be read: {error}") from error


def upload(path: Path, place: str, force: bool, content_type: str) -> None:
    """A file's bytes, in one piece; they replace an object only with `force`."""
    try:
        _blob(place).upload_from_filename(
            str(path), content_type=content_type, if_generation_match=None if force else 0, retry=_RETRY
        )
    except PreconditionFailed as error:
        raise GeneratorError(f"{place} exists already; --force overwrites it") from error
    except _FAILURES as error:
        raise GeneratorError(f"{place} cannot be written: {error}") from error


def _blob(place: str) -> storage.Blob:
    bucket, _, name = place.removeprefix("gs://").partition("/")
    if not bucket or not name or name.endswith("/"):
        raise GeneratorError(f"{place} is not gs://bucket/object")
    try:
        return storage.Client().bucket(bucket).blob(name)
    except GoogleAuthError as error:
        raise GeneratorError(f"{place} cannot be reached: {error}") from error
