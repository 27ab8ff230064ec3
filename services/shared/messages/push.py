"""The body of a Pub/Sub push request."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.shared.errors import PermanentError
from services.shared.messages.fault import fault


@dataclass(frozen=True)
class PushMessage:
    """One delivery: original bytes and attributes, kept whole so that a dead letter can carry them."""

    data: bytes
    attributes: Mapping[str, str]
    message_id: str
    subscription: str
    attempt: int
    """1 for the first delivery; 1 too where the subscription has no dead-letter policy."""
    published_at: str = ""
    """RFC 3339, as it came."""

    def age(self, now: datetime) -> float:
        """Seconds since it was published; without end where it does not say when."""
        try:
            return (now - datetime.fromisoformat(self.published_at)).total_seconds()
        except (ValueError, TypeError):
            return float("inf")

    @classmethod
    def decode(cls, body: bytes) -> PushMessage:
        """The message of a push body (https://cloud.google.com/pubsub/docs/push#receive_push).

        Raises: PermanentError("malformed_message") naming what is wrong.
        """
        try:
            outer = json.loads(body)
            message = outer["message"]
            attributes = message.get("attributes") or {}
            for text in (text for pair in attributes.items() for text in pair):
                text.encode()  # half a surrogate pair is text in JSON, and nowhere else
            return cls(
                data=base64.b64decode(message.get("data") or "", validate=True),
                attributes=dict(attributes),
                message_id=str(message.get("messageId", "")),
                subscription=str(outer.get("subscription", "")),
                attempt=int(outer.get("deliveryAttempt") or 1),
                published_at=str(message.get("publishTime", "")),
            )
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            raise PermanentError("malformed_message", f"not a Pub/Sub push body: {fault(error)}") from error
