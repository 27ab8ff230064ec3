"""The words after the ? of an address are checked, each with a sentence that says what would do."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from werkzeug.datastructures import MultiDict

from dropmerge.operations.errors import UsageError
from dropmerge.page.arguments import Arguments


def asked(**words: str) -> Arguments:
    return Arguments(MultiDict(words))


def test_a_text_is_taken_without_the_blanks_around_it() -> None:
    """What is not given is empty."""
    assert asked(name="  a b ").text("name") == "a b"
    assert asked().text("name") == ""
    assert asked(name="é" * 2048).text("name") == "é" * 2048


@pytest.mark.parametrize("text", ["a\0b", "x" * 2049])
def test_what_no_name_can_be_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="name is too long, or has a character that no name has"):
        asked(name=text).text("name")


def test_one_of_some_words_is_asked_for() -> None:
    """Nothing is allowed too; another word is refused with those that there are."""
    assert asked(state="merged").text("state", ["staged", "merged"]) == "merged"
    assert asked().text("state", ["staged", "merged"]) == ""
    with pytest.raises(UsageError, match="state is one of staged, merged; not 'Merged'"):
        asked(state="Merged").text("state", ["staged", "merged"])


@pytest.mark.parametrize(
    ("text", "age"),
    [("90m", timedelta(minutes=90)), ("24h", timedelta(days=1)), ("45d", timedelta(days=45)), ("", timedelta(days=7))],
)
def test_an_age_is_a_number_and_a_unit(text: str, age: timedelta) -> None:
    assert asked(since=text).age("7d") == age


@pytest.mark.parametrize(
    "text",
    [
        "0d",
        "-1h",
        "1.5h",
        "1w",
        "24",
        "h",
        "46d",
        "99999999d",
        "1d1h",
        "²d",
        "1d\n2",
        "\N{ARABIC-INDIC DIGIT ONE}d",
        "1e3h",
        "=1+1",
    ],
)
def test_an_age_that_is_none_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="since is a number and m, h or d, such as 24h, and at most 45d; not"):
        asked(since=text).age("24h")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T09:00:00Z", datetime(2026, 1, 31, 9, tzinfo=UTC)),
        ("2026-01-31T09:00:00", datetime(2026, 1, 31, 9, tzinfo=UTC)),
        ("2026-01-31T09:00:00+02:00", datetime(2026, 1, 31, 9, tzinfo=timezone(timedelta(hours=2)))),
    ],
)
def test_a_moment_without_a_zone_is_utc(text: str, moment: datetime) -> None:
    assert asked(after=text).moment("after") == moment
    assert asked().moment("after") is None


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-02-30",
        "2026-01-31T25:00:00Z",
        "12",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    """Nor is one that UTC has no name for."""
    with pytest.raises(UsageError, match="after is a time such as 2026-01-31T09:00:00Z; not"):
        asked(after=text).moment("after")


def test_a_number_is_within_its_bounds() -> None:
    assert [asked(n=text).number("n", 7, 20) for text in ("0", "20", "")] == [0, 20, 7]


@pytest.mark.parametrize("text", ["21", "-1", "1.0", "²", "9999999999", "0x1", "1 2"])
def test_what_is_no_number_or_too_large_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="n is a number up to 20; not"):
        asked(n=text).number("n", 7, 20)
