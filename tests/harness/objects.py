"""Objects of any age, put where the local bucket keeps them: a client can upload only new ones, and one at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from services.shared.generation import ObjectGeneration
from tests.harness.pipeline import HEADER, Pipeline

_METADATA = "user.metadata"
"""The extended attribute in which the local bucket keeps what it knows of an object."""


def put_objects(pipeline: Pipeline, like: str, sources: Iterable[ObjectGeneration], text: str = HEADER) -> None:
    """Files of the landing bucket, each as old as its generation; nobody is notified. `like`: gs://landing/… of one
    that was uploaded."""
    bucket = pipeline.cloud.state / "bucket" / "landing"
    known = json.loads(os.getxattr(bucket / like.partition("#")[0].removeprefix("gs://landing/"), _METADATA))
    for source in sources:
        path = bucket / source.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        created = source.created.isoformat()
        own = {"Created": created, "Updated": created, "Generation": source.generation}
        os.setxattr(path, _METADATA, json.dumps({**known, **own}).encode())
