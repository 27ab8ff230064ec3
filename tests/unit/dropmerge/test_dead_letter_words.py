"""Dead letters in words: what is cut is cut where it can still be read, and moments name their zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from dropmerge.cli.dead_letter_words import end_words, shorten
from dropmerge.operations.dead_letters.ends import End, LetterState
from dropmerge.operations.times import recent_moment

_NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("as it is", 8, "as it is"),
        ("cut at a word, not within", 16, "cut at a word …"),
        ("withoutanyblank", 7, "without …"),
        ('3 rows such as: {"a": 1, "b": 2}', 25, "3 rows such as …"),
        ("one of [a, b, c] and more words", 22, "one of [a, b, c] and …"),
    ],
)
def test_an_error_is_cut_at_a_word_and_never_within_json(text: str, most: int, expected: str) -> None:
    assert shorten(text, most) == expected


def test_a_moment_names_its_zone_and_the_day_unless_it_is_today() -> None:
    today = _NOW.replace(hour=18, minute=53, second=2)
    assert recent_moment(today.astimezone(timezone(timedelta(hours=5)))) == "18:53:02 UTC"
    assert recent_moment(today - timedelta(days=1)) == f"{today - timedelta(days=1):%Y-%m-%d} 18:53:02 UTC"


def test_an_end_says_how_who_when_and_what_came_of_it() -> None:
    at = _NOW.replace(hour=18, minute=53, second=2)
    words = end_words(End(LetterState.DISCARDED, at, "ada", "sent twice", undone_as="60"))
    assert words == 'discarded by ada at 18:53:02 UTC ("sent twice"), and taken back: it is waiting as dead letter 60'
    replayed = End(LetterState.REPLAYED, at, "ada")
    assert end_words(replayed, is_merged=True) == "replayed by ada at 18:53:02 UTC, and its file is merged"
    assert end_words(replayed) == "replayed by ada at 18:53:02 UTC"
