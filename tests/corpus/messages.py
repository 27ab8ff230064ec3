"""Nasty messages, published on the services' topics or sent to them as push bodies, and where each must end."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
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


def _notification(**changed: str | None) -> dict[str, str]:
    attributes = {
        "eventType": "OBJECT_FINALIZE",
        "bucketId": "landing",
        "objectId": "incoming/strict/never-there.csv",
        "objectGeneration": "1700000000000000",
        "payloadFormat": "JSON_API_V1",
        **changed,
    }
    return {name: value for name, value in attributes.items() if value is not None}


def _arrived(name: str, what: str, data: bytes = b"{}", **changed: str | None) -> Message:
    return Message(f"arrived-{name}", what, "ingest", data, _notification(**changed))


def notifications() -> Iterator[Message]:
    yield Message("arrived-foreign", "bytes that are no notification", "ingest", b"\xff\0 hello", {"colour": "blue"})
    yield Message("arrived-no-data", "attributes and no data", "ingest", b"", {"colour": "blue"})
    yield _arrived("no-event", "without its event type", eventType=None)
    yield _arrived("no-bucket", "without its bucket", bucketId=None)
    yield _arrived("no-object", "without its object", objectId=None)
    yield _arrived("empty-object", "with an empty object name", objectId="")
    for n, text in enumerate(
        ("", "-1", "+1", "1.5", "1e3", " 1", "1\n", "0x1", "١٢", "²", "NaN", str(2**63), "9" * 1000, "1;2", "latest")
    ):
        yield _arrived(f"generation-{n}", f"generation {text[:30]!r}", objectGeneration=text)
    yield _arrived("no-generation", "without its generation", objectGeneration=None)
    full = {f"attribute-{n:02}": "x" * 1024 for n in range(99)}
    yield Message("arrived-100-attributes", "as many attributes as a message can have", "ingest", b"full", full)
    yield Message(
        "arrived-90-attributes",
        "no room for ours beside its own",
        "ingest",
        b"nearly full",
        dict(list(full.items())[:89]),
    )
    yield Message(
        "arrived-parameters",
        "attributes named like the parameters of a client's call",
        "ingest",
        b"x",
        {"topic": "t", "data": "d", "retry": "r", "timeout": "0", "ordering_key": "k"},
    )
    yield Message("arrived-long-key", "an attribute's name of 256 bytes", "ingest", b"x", {"k" * 256: "x"})
    yield Message(
        "arrived-our-words",
        "attributes under our own prefix",
        "ingest",
        b"ours",
        {"dropmerge_reason": "none", "dropmerge_whole": "true"},
    )
    yield Message(
        "arrived-counts",
        "a replay count that is no number",
        "ingest",
        b"counts",
        {"replay_count": "many", "dropmerge_attempt": "²"},
    )
    yield Message("arrived-9-megabytes", "9 MB of data", "ingest", b"\0" * 9_000_000, {"size": "9 MB"})
    yield Message("arrived-bad-trace", "a traceparent that is none", "ingest", b"x", {"traceparent": "00-zz\n{}"})
    gone = {"ends": "superseded", "reason": None}
    for name, what, data, changed in (
        ("gone", "an object that was never there", b"{}", {}),
        ("last-generation", "the greatest generation", b"{}", {"objectGeneration": str(2**63 - 1)}),
        ("generation-zero", "generation 0", b"{}", {"objectGeneration": "0"}),
        ("payload-deep", "a payload of 100,000 brackets", _DEEP, {}),
        ("payload-list", "a payload that is a list", b"[1]", {}),
        ("payload-bytes", "a payload that is no JSON", b"\xff\xfe\0", {}),
        (
            "payload-size",
            "a size of 5,000 digits",
            json.dumps({"size": "9" * 5000, "timeCreated": "soon"}).encode(),
            {},
        ),
        (
            "payload-types",
            "a size and a time of the wrong type",
            json.dumps({"size": [], "timeCreated": {}}).encode(),
            {},
        ),
        (
            "payload-lies",
            "a payload about another object",
            json.dumps({"name": "x", "generation": "5", "size": "-1"}).encode(),
            {},
        ),
        (
            "odd-name",
            "an object's name with SQL and a newline",
            b"{}",
            {"objectId": "incoming/strict/a\n'; DROP TABLE x; --"},
        ),
        ("long-name", "an object's name of 1,024 bytes", b"{}", {"objectId": "incoming/strict/" + "é" * 504}),
    ):
        attributes = _notification(**changed)
        yield Message(f"arrived-{name}", what, "ingest", data, attributes, **gone)  # type: ignore[arg-type]
    ignored = {"ends": "ignored", "reason": None}
    for n, event in enumerate(
        (
            "OBJECT_DELETE",
            "OBJECT_ARCHIVE",
            "OBJECT_METADATA_UPDATE",
            "object_finalize",
            "OBJECT_FINALIZE ",
            "\U0001f4a5",
        )
    ):
        told = _notification(eventType=event)
        yield Message(f"arrived-event-{n}", f"event {event!r}", "ingest", b"{}", told, **ignored)  # type: ignore[arg-type]
    yield Message("arrived-folder", "a folder", "ingest", b"{}", _notification(objectId="incoming/strict/"), **ignored)  # type: ignore[arg-type]
    yield Message("arrived-elsewhere", "another prefix", "ingest", b"{}", _notification(objectId="x.csv"), **ignored)  # type: ignore[arg-type]
    yield Message(
        "arrived-no-feed", "no feed's object", "ingest", b"{}", _notification(objectId="incoming/x"), reason="no_feed"
    )
    yield Message(
        "arrived-no-such-bucket",
        "a bucket that is not",
        "ingest",
        b"{}",
        _notification(bucketId="nowhere"),
        reason="not_found",
    )


def staged() -> Iterator[Message]:
    good = {"feed": "strict", "bucket": "landing", "object": "incoming/strict/never.csv", "generation": 7}

    def one(name: str, what: str, data: object, reason: str = "malformed_message") -> Message:
        raw = data if isinstance(data, bytes) else json.dumps(data).encode()
        return Message(f"staged-{name}", what, "merge", raw, {"case": name}, reason=reason)

    for name, data in (
        ("null", None),
        ("list", []),
        ("empty", {}),
        ("text", "strict"),
        ("number", 1),
        ("true", True),
        ("nested", {"feed": good}),
    ):
        yield one(name, f"JSON that is {name}", data)
    yield one("bytes", "bytes that are no text", b"\xff\0\x01")
    yield one("half", "JSON that ends too soon", json.dumps(good).encode()[:-1])
    yield one("deep", "100,000 brackets", _DEEP)
    yield one("no-data", "no data at all", b"")
    for name in good:
        yield one(f"no-{name}", f"without its {name}", {k: v for k, v in good.items() if k != name})
        yield one(f"null-{name}", f"null for its {name}", {**good, name: None})
        yield one(f"list-{name}", f"a list for its {name}", {**good, name: [good[name]]})
    yield one("empty-feed", "an empty feed", {**good, "feed": ""})
    for n, text in enumerate(
        ("NaN", "Infinity", "-Infinity", "1e400", "1.5", "-1", str(2**63), "9" * 5000, '"seven"', "true", "{}")
    ):
        yield one(f"generation-{n}", f"generation {text[:20]}", json.dumps(good).replace(": 7", f": {text}").encode())
    yield one("unknown-feed", "a feed that nobody knows", {**good, "feed": "nobody"}, "unknown_feed")
    yield one("sql-feed", "SQL for a feed", {**good, "feed": "strict`; DROP TABLE main.strict; --"}, "unknown_feed")
    yield one("gone", "a staging table that was never there", good, "staging_missing")
    yield one("new-field", "a field of tomorrow", {**good, "generation": 8, "colour": "blue"}, "staging_missing")
    yield one("surrogate", "an object's name with half a surrogate pair", {**good, "object": "\ud800"})
    yield one("long-object", "an object's name of 1 MB", {**good, "object": "x" * 10**6}, "staging_missing")
    yield one("utf16", "UTF-16", json.dumps({**good, "generation": 9}).encode("utf-16"), "staging_missing")


def push_bodies() -> Iterator[Message]:
    data = base64.b64encode(b"x").decode()
    bodies: dict[str, object] = {
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
        "data-list": {"message": {"data": [data]}},
        "data-not-base64": {"message": {"data": "%%%"}},
        "data-cut": {"message": {"data": "YQ="}},
        "data-url-base64": {"message": {"data": "_-_-"}},
        "data-unicode": {"message": {"data": "é"}},
        "attributes-list": {"message": {"data": data, "attributes": [1]}},
        "attributes-text": {"message": {"data": data, "attributes": "a=b"}},
        "attributes-number": {"message": {"data": data, "attributes": {"a": 1}}},
        "attributes-surrogate": {"message": {"data": data, "attributes": {"a": "\ud800"}}},
        "attempt-text": {"message": {"data": data}, "deliveryAttempt": "first"},
        "attempt-list": {"message": {"data": data}, "deliveryAttempt": [1]},
        "attempt-infinite": b'{"message": {"data": ""}, "deliveryAttempt": Infinity}',
        "attempt-overflow": b'{"message": {"data": ""}, "deliveryAttempt": 1e999}',
        "attempt-nan": b'{"message": {"data": ""}, "deliveryAttempt": NaN}',
    }
    for service in ("ingest", "merge"):
        for name, body in bodies.items():
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            yield Message(f"push-{service}-{name}", f"a push body: {name}", service, raw, is_push_body=True)


def messages() -> list[Message]:
    return [*notifications(), *staged(), *push_bodies()]
