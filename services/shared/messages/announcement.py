"""A notification that Cloud Storage did not send: somebody wants a file to be read, again or at last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from services.shared.generation import ObjectGeneration

if TYPE_CHECKING:
    from services.shared.publisher import Message


def announcement(
    source: ObjectGeneration,
    by: str,
    more: Mapping[str, str] | None = None,
    resource: Mapping[str, object | None] | None = None,
) -> Message:
    """As Cloud Storage makes it, and by whom: https://cloud.google.com/storage/docs/pubsub-notifications

    `more`: further attributes. `resource`: what is known of the object beside its name, keys as in Cloud Storage's
    JSON API.
    """
    known = dict(resource or {})
    created = str(known.get("timeCreated") or source.created.isoformat())
    attributes = {
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": source.bucket,
        "objectId": source.name,
        "objectGeneration": str(source.generation),
        "eventTime": created,
        "announced_by": by,
        **(more or {}),
    }
    payload = {
        "kind": "storage#object",
        "id": f"{source.bucket}/{source.name}/{source.generation}",
        "name": source.name,
        "bucket": source.bucket,
        "generation": str(source.generation),
        "timeCreated": created,
        **known,
    }
    return json.dumps({key: value for key, value in payload.items() if value is not None}).encode(), attributes
