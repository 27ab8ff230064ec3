"""Nasty messages, published on the services' topics or sent to them as push bodies, and where each must end."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

_DEEP = b"[" * 100_000


@dataclass(frozen=True)
class Message:
    """`ends` is the outcome that the service logs. A push body is what the service is sent, whole."""

    name: str
    what: str
    service: str
    data: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    ends: str = "dead_lettered"
    reason: str | None = "malformed_message"
    is_push_body: bool = False

    @property
    def kept(self) -> dict[str, str]:
        """The attributes that its dead letter gives back: not those under names of ours."""
        ours = ("dropmerge_", "replay_")
        return {name: value for name, value in self.attributes.items() if not name.startswith(ours)}

    @property
    def topic(self) -> str:
        return "file-arrived" if self.service == "ingest" else "file-staged"


def _notification(changed: Mapping[str, str | None]) -> dict[str, str]:
    attributes = {
        "eventType": "OBJECT_FINALIZE",
        "bucketId": "landing",
        "objectId": "incoming/strict/never-there.csv",
        "objectGeneration": "1700000000000000",
        "payloadFormat": "JSON_API_V1",
        **changed,
    }
    return {name: value for name, value in attributes.items() if value is not None}


def _foreign(name: str, what: str, data: bytes, attributes: Mapping[str, str]) -> Message:
    """A message on ingest's topic that is no notification."""
    return Message(f"arrived-{name}", what, "ingest", data, attributes)


def _arrived(
    name: str,
    what: str,
    changed: Mapping[str, str | None],
    data: bytes = b"{}",
    ends: str = "dead_lettered",
    reason: str | None = "malformed_message",
) -> Message:
    """A good notification but for the attributes in `changed`; None leaves one out."""
    return Message(f"arrived-{name}", what, "ingest", data, _notification(changed), ends, reason)


def _gone(name: str, what: str, data: bytes = b"{}", **changed: str) -> Message:
    """A notification that can be read, of a generation that is not there."""
    return _arrived(name, what, changed, data, "dead_lettered", "object_gone")


def _ignored(name: str, what: str, **changed: str) -> Message:
    return _arrived(name, what, changed, ends="ignored", reason=None)


_STAGED = {"feed": "strict", "bucket": "landing", "object": "incoming/strict/never.csv", "generation": 7}
"""A good message to merge, though no staging table belongs to it."""


def _staged(name: str, what: str, data: object, reason: str = "malformed_message") -> Message:
    """`data` is JSON unless it is bytes."""
    return Message(f"staged-{name}", what, "merge", _encoded(data), {"case": name}, reason=reason)


def _encoded(data: object) -> bytes:
    return data if isinstance(data, bytes) else json.dumps(data).encode()


# One record a line: what a message is, and where it ends.
# fmt: off
_ATTRIBUTES = {f"attribute-{n:02}": "x" * 1024 for n in range(99)}
_PARAMETERS = {"topic": "t", "data": "d", "retry": "r", "timeout": "0", "ordering_key": "k"}
_FOREIGN = [
    _foreign("foreign", "bytes that are no notification", b"\xff\0 hello", {"colour": "blue"}),
    _foreign("no-data", "attributes and no data", b"", {"colour": "blue"}),
    _foreign("100-attributes", "as many attributes as a message can have", b"full", _ATTRIBUTES),
    _foreign("90-attributes", "no room for ours beside its own", b"nearly full", dict(list(_ATTRIBUTES.items())[:89])),
    _foreign("parameters", "attributes named like the parameters of a client's call", b"x", _PARAMETERS),
    _foreign("long-key", "an attribute's name of 256 bytes", b"x", {"k" * 256: "x"}),
    _foreign("our-words", "attributes under our own prefix", b"ours", {"dropmerge_reason": "none", "dropmerge_whole": "true"}),
    _foreign("counts", "a replay count that is no number", b"counts", {"replay_count": "many", "dropmerge_attempt": "²"}),
    _foreign("9-megabytes", "9 MB of data", b"\0" * 9_000_000, {"size": "9 MB"}),
    _foreign("bad-trace", "a traceparent that is none", b"x", {"traceparent": "00-zz\n{}"}),
]
_GENERATIONS = ("", "-1", "+1", "1.5", "1e3", " 1", "1\n", "0x1", "١٢", "²", "NaN", str(2**63), "9" * 1000, "1;2", "latest")
_EVENTS = ("OBJECT_DELETE", "OBJECT_ARCHIVE", "OBJECT_METADATA_UPDATE", "object_finalize", "OBJECT_FINALIZE ", "\U0001f4a5")
_NOTIFICATIONS = [
    _arrived("no-event", "without its event type", {"eventType": None}),
    _arrived("no-bucket", "without its bucket", {"bucketId": None}),
    _arrived("no-object", "without its object", {"objectId": None}),
    _arrived("empty-object", "with an empty object name", {"objectId": ""}),
    _arrived("no-generation", "without its generation", {"objectGeneration": None}),
    *(
        _arrived(f"generation-{n}", f"generation {text[:30]!r}", {"objectGeneration": text})
        for n, text in enumerate(_GENERATIONS)
    ),
    _gone("gone", "an object that was never there"),
    _gone("last-generation", "the greatest generation", objectGeneration=str(2**63 - 1)),
    _gone("generation-zero", "generation 0", objectGeneration="0"),
    _gone("payload-deep", "a payload of 100,000 brackets", _DEEP),
    _gone("payload-list", "a payload that is a list", b"[1]"),
    _gone("payload-bytes", "a payload that is no JSON", b"\xff\xfe\0"),
    _gone("payload-size", "a size of 5,000 digits", _encoded({"size": "9" * 5000, "timeCreated": "soon"})),
    _gone("payload-types", "a size and a time of the wrong type", _encoded({"size": [], "timeCreated": {}})),
    _gone("payload-lies", "a payload about another object", _encoded({"name": "x", "generation": "5", "size": "-1"})),
    _gone("odd-name", "an object's name with SQL and a newline", objectId="incoming/strict/a\n'; DROP TABLE x; --"),
    _gone("long-name", "an object's name of 1,024 bytes", objectId="incoming/strict/" + "é" * 504),
    *(_ignored(f"event-{n}", f"event {event!r}", eventType=event) for n, event in enumerate(_EVENTS)),
    _ignored("folder", "a folder", objectId="incoming/strict/"),
    _ignored("elsewhere", "another prefix", objectId="x.csv"),
    _arrived("no-feed", "no feed's object", {"objectId": "incoming/x"}, reason="no_feed"),
    _arrived("no-buckets-name", "a name that no bucket can have", {"bucketId": "-"}),
    _arrived("no-such-bucket", "a bucket that is not", {"bucketId": "nowhere"}, reason="not_found"),
]
_NUMBERS = ("NaN", "Infinity", "-Infinity", "1e400", "1.5", "-1", str(2**63), "9" * 5000, '"seven"', "true", "{}")
_TO_MERGE = [
    _staged("null", "JSON that is null", None),
    _staged("list", "JSON that is a list", []),
    _staged("empty", "JSON that is an empty object", {}),
    _staged("text", "JSON that is a text", "strict"),
    _staged("number", "JSON that is a number", 1),
    _staged("true", "JSON that is true", True),
    _staged("nested", "JSON with the message one level down", {"feed": _STAGED}),
    _staged("bytes", "bytes that are no text", b"\xff\0\x01"),
    _staged("half", "JSON that ends too soon", json.dumps(_STAGED).encode()[:-1]),
    _staged("deep", "100,000 brackets", _DEEP),
    _staged("no-data", "no data at all", b""),
    *(_staged(f"no-{one}", f"without its {one}", {k: v for k, v in _STAGED.items() if k != one}) for one in _STAGED),
    *(_staged(f"null-{one}", f"null for its {one}", {**_STAGED, one: None}) for one in _STAGED),
    *(_staged(f"list-{one}", f"a list for its {one}", {**_STAGED, one: [_STAGED[one]]}) for one in _STAGED),
    _staged("empty-feed", "an empty feed", {**_STAGED, "feed": ""}),
    *(
        _staged(f"generation-{n}", f"generation {text[:20]}", json.dumps(_STAGED).replace(": 7", f": {text}").encode())
        for n, text in enumerate(_NUMBERS)
    ),
    _staged("unknown-feed", "a feed that nobody knows", {**_STAGED, "feed": "nobody"}, "unknown_feed"),
    _staged("sql-feed", "SQL for a feed", {**_STAGED, "feed": "strict`; DROP TABLE main.strict; --"}, "unknown_feed"),
    _staged("gone", "a staging table that was never there", _STAGED, "staging_missing"),
    _staged("new-field", "a field of tomorrow", {**_STAGED, "generation": 8, "colour": "blue"}, "staging_missing"),
    _staged("surrogate", "an object's name with half a surrogate pair", {**_STAGED, "object": "\ud800"}),
    _staged("long-object", "an object's name of 1 MB", {**_STAGED, "object": "x" * 10**6}, "staging_missing"),
    _staged("utf16", "UTF-16", json.dumps({**_STAGED, "generation": 9}).encode("utf-16"), "staging_missing"),
]
_DATA = base64.b64encode(b"x").decode()
_BODIES: Mapping[str, object] = {
    "empty": b"",
    "bytes": b"\xff\0\x01",
    "html": b"<html>",
    "deep": _DEEP,
    "null": None,
    "list": [],
    "object": {},
    "text": "message",
    "message-null": {"message": None},
    "message-list": {"message": [1]},
    "message-text": {"message": "x"},
    "data-number": {"message": {"data": 5}},
    "data-list": {"message": {"data": [_DATA]}},
    "data-not-base64": {"message": {"data": "%%%"}},
    "data-cut": {"message": {"data": "YQ="}},
    "data-url-base64": {"message": {"data": "_-_-"}},
    "data-unicode": {"message": {"data": "é"}},
    "attributes-list": {"message": {"data": _DATA, "attributes": [1]}},
    "attributes-text": {"message": {"data": _DATA, "attributes": "a=b"}},
    "attributes-number": {"message": {"data": _DATA, "attributes": {"a": 1}}},
    "attributes-surrogate": {"message": {"data": _DATA, "attributes": {"a": "\ud800"}}},
    "attempt-text": {"message": {"data": _DATA}, "deliveryAttempt": "first"},
    "attempt-list": {"message": {"data": _DATA}, "deliveryAttempt": [1]},
    "attempt-infinite": b'{"message": {"data": ""}, "deliveryAttempt": Infinity}',
    "attempt-overflow": b'{"message": {"data": ""}, "deliveryAttempt": 1e999}',
    "attempt-nan": b'{"message": {"data": ""}, "deliveryAttempt": NaN}',
}
_PUSH_BODIES = [
    Message(f"push-{service}-{name}", f"a push body: {name}", service, _encoded(body), is_push_body=True)
    for service in ("ingest", "merge")
    for name, body in _BODIES.items()
]
# fmt: on


def messages() -> list[Message]:
    return [*_FOREIGN, *_NOTIFICATIONS, *_TO_MERGE, *_PUSH_BODIES]
