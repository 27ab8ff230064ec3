"""A view says of each dead letter what the commands say, by Google's engine, whatever is in its attributes."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from services.merge.views import NAMES, view_query
from services.shared.messages.dead_letter import DeadLetter
from services.shared.tables import table
from tests.harness.dead_letters import HOSTILE
from tests.harness.googlesql import GoogleSql

_NOW = datetime.now(UTC).replace(microsecond=0)


class _Message:
    def __init__(self, number: int, data: bytes, attributes: Mapping[str, str]) -> None:
        self.message_id = str(number)
        self.publish_time = _NOW - timedelta(days=40 if number == 9 else 1)
        self.data = data
        self.attributes = attributes


@pytest.fixture(scope="module")
def engine() -> GoogleSql:
    engine = GoogleSql()
    for name in ("dead_letter_messages", "journal"):
        engine.client.create_table(table("local", name))
    return engine


def _keep(engine: GoogleSql, service: str, message: _Message) -> None:
    engine.query(
        "INSERT INTO `local.ops.dead_letter_messages` (subscription_name, message_id, publish_time, data, attributes)"
        " VALUES (@subscription, @id, @at, FROM_BASE64(@data), @attributes)",
        {
            "subscription": ("STRING", f"projects/local/subscriptions/{service}-dead-letter-table"),
            "id": ("STRING", message.message_id),
            "at": ("TIMESTAMP", message.publish_time),
            "data": ("STRING", base64.b64encode(message.data).decode()),
            # Not as \\ud83d\\ude00: the reference implementation of JSON_VALUE reads that as two characters.
            "attributes": ("STRING", json.dumps(dict(message.attributes), ensure_ascii=False)),
        },
    )


def _record(engine: GoogleSql, event: str, dead_letter_id: str, minutes_ago: int, **detail: str) -> None:
    engine.query(
        "INSERT INTO `local.ops.journal` (happened_at, event, service, who, detail)"
        " VALUES (@at, @event, 'console', 'ada', @detail)",
        {
            "at": ("TIMESTAMP", _NOW - timedelta(minutes=minutes_ago)),
            "event": ("STRING", event),
            "detail": ("STRING", json.dumps({"dead_letter_id": dead_letter_id, **detail})),
        },
    )


def test_the_view_reads_dead_letters_as_the_commands_do(engine: GoogleSql) -> None:
    """Each once, though it was written twice, with the last of its ends."""
    messages = [(service, _Message(n, data, more)) for n, (service, data, more) in enumerate(HOSTILE)]
    for service, message in [*messages, messages[0]]:
        _keep(engine, service, message)
    _record(engine, "replayed", "1", 30)
    _record(engine, "discarded", "2", 30, why='a "why"\n\0')
    _record(engine, "replayed", "2", 20)
    _record(engine, "discarded", "5", 20, why="again")
    _record(engine, "undone", "5", 10, undone_as="6")
    found = {row["id"]: row for row in engine.query(view_query("local", "dead_letters"))}
    assert len(found) == len(HOSTILE)
    for service, message in messages:
        expected = DeadLetter.decode(service, message, {})
        row = found[message.message_id]
        assert {name: row[name] for name in _FIELDS} == {name: getattr(expected, name) for name in _FIELDS}
        assert row["dead_lettered_at"] == expected.at
    ends = {one: tuple(found[one][name] for name in _END) for one in found}
    assert ends["0"] == ("waiting", None, None, None, None, None)
    assert ends["1"] == ("replayed", _NOW - timedelta(minutes=30), "ada", None, "4", None)
    assert ends["2"] == ("replayed", _NOW - timedelta(minutes=20), "ada", None, None, None), "6 is an undone discard"
    assert ends["3"][0] == "waiting"
    assert ends["5"] == ("discarded", _NOW - timedelta(minutes=20), "ada", "again", None, "6")
    assert ends["9"] == ("expired", _NOW - timedelta(days=9), None, None, None, None)


_FIELDS = (
    "service", "reason", "error", "load_id", "feed", "bucket", "object", "generation", "contract", "attempts",
    "replay_of", "replay_count",
)  # fmt: skip
_END = ("state", "ended_at", "ended_by", "why", "came_back_as", "undone_as")


@pytest.mark.parametrize("name", NAMES)
def test_a_view_is_bounded_by_time(name: str) -> None:
    """It has no parameters, and reads no table of events whole: each time that one is named, so are its last days."""
    text = view_query("local", name)
    assert "@" not in text
    since = "TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 90 DAY)"
    assert text.count("`local.ops.journal`") == text.count(f"happened_at >= {since}")
    assert text.count("`local.ops.dead_letter_messages`") == text.count(f"publish_time >= {since}")
