"""What ingest relies on in Cloud Storage, with the rights that it has there."""

from __future__ import annotations

from collections.abc import Iterator

from google.api_core import exceptions
from google.cloud.storage import Bucket

from deploy.google.probe.question import Answer, Question
from deploy.google.probe.scratch import Scratch

_TIMEOUT = 60.0
_COPIED = "copied"


def questions() -> Iterator[Question]:
    rights = "by an identity that may create and read objects, not delete them"
    yield Question(
        "rewrite_new",
        f"a rewrite to a new name, {rights}",
        "objects.rewrite, ifGenerationMatch=0",
        "Ingest pins each file so.",
        _rewrite_new,
        finding=19,
        expected=(_COPIED,),
        operations=2,
    )
    yield Question(
        "rewrite_over",
        f"a rewrite over an object, {rights}",
        "objects.rewrite, ifGenerationMatch=0",
        "Ingest takes 412 for the copy that another delivery has made; 403 would make a dead letter of the file.",
        _rewrite_over,
        finding=19,
        expected=("412",),
        operations=3,
    )
    yield Question(
        "read_missing",
        f"an object that is not there, {rights}",
        "objects.get",
        "404 says that a file is gone; 403 would say that a grant is missing.",
        _read_missing,
        finding=19,
        expected=("404",),
    )


def _rewrite_new(scratch: Scratch) -> Answer:
    scratch.upload("rewrite_new_source", b"x")
    return _rewrite(scratch, "rewrite_new_source", "rewrite_new_target")


def _rewrite_over(scratch: Scratch) -> Answer:
    for name in ("rewrite_over_source", "rewrite_over_target"):
        scratch.upload(name, b"x")
    return _rewrite(scratch, "rewrite_over_source", "rewrite_over_target")


def _rewrite(scratch: Scratch, source: str, target: str) -> Answer:
    """With the preconditions that services.ingest.pin has."""
    bucket = _as_ingest(scratch)
    found = bucket.get_blob(scratch.blob(source).name, timeout=_TIMEOUT)
    only_if = {"if_generation_match": 0, "if_source_generation_match": found.generation, "timeout": _TIMEOUT}
    try:
        bucket.blob(scratch.blob(target).name).rewrite(found, **only_if)
    except (exceptions.PreconditionFailed, exceptions.Forbidden) as error:
        return _code(error)
    return Answer(_COPIED)


def _read_missing(scratch: Scratch) -> Answer:
    try:
        _as_ingest(scratch).blob(scratch.blob("missing").name).download_as_bytes(timeout=_TIMEOUT)
    except (exceptions.NotFound, exceptions.Forbidden) as error:
        return _code(error)
    return Answer("read")


def _as_ingest(scratch: Scratch) -> Bucket:
    name = scratch.bucket.name
    return scratch.clients.storage_as_ingest(name).bucket(name)


def _code(error: exceptions.GoogleAPICallError) -> Answer:
    return Answer(str(int(error.code or 0)), " ".join(str(error).split())[:500])
