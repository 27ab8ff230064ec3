"""How old a message is, by its publish time."""

from datetime import UTC, datetime

import pytest

from services.shared.messages.push import PushMessage

_NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("published", "seconds"),
    [
        ("2026-01-01T11:59:00Z", 60.0),
        ("2026-01-01T11:59:59.500Z", 0.5),
        ("2026-01-01T13:00:00+01:00", 0.0),
        ("2026-01-01T12:00:01Z", -1.0),
        ("", float("inf")),
        ("yesterday", float("inf")),
        ("2026-01-01T11:59:00", float("inf")),
    ],
)
def test_a_message_s_age(published: str, seconds: float) -> None:
    """One that does not say when it was published is old: nothing is waited for."""
    assert PushMessage(b"", {}, "1", "s", 1, published).age(_NOW) == seconds
