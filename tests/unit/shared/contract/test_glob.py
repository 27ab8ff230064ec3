"""Patterns of object names: which names they match, and whether two of them match one name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.shared.contract.glob import common_name, fault, matches

PATTERNS = st.text("ab/*?.", min_size=1, max_size=7)
NAMES = st.text("abx/.\n", max_size=8)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("in/a/*", "in/a/a.csv", True),
        ("in/a/*", "in/a/b/a.csv", False),
        ("in/a/**", "in/a/b/a.csv", True),
        ("in/a/**", "in/ab/a.csv", False),
        ("in/?.csv", "in/a.csv", True),
        ("in/?.csv", "in/ab.csv", False),
        ("in?a", "in/a", False),
        ("in/a.csv", "in/abcsv", False),
        ("in/**", "in/a\nb", True),
    ],
)
def test_one_star_stays_within_a_folder(pattern: str, name: str, expected: bool) -> None:
    assert matches(pattern, name) == expected


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [
        ("incoming/ov/*", "incoming/ov/*.csv", "incoming/ov/x.csv"),
        ("incoming/a/*", "incoming/b/*", None),
        ("incoming/a/*", "incoming/a/b/*", None),
        ("incoming/a/**", "incoming/a/b/*", "incoming/a/b/x"),
        ("incoming/*/a.csv", "incoming/b/*", "incoming/b/a.csv"),
        ("incoming/*.csv", "incoming/*.json", None),
        ("**", "**", "x"),
        ("a*", "*a", "aa"),
        ("ab*", "*b", "abb"),
        ("a*", "a", "a"),
        ("in/?", "in/ab", None),
    ],
)
def test_the_name_that_two_patterns_share(one: str, other: str, name: str | None) -> None:
    assert common_name(one, other) == common_name(other, one) == name


@given(PATTERNS, PATTERNS)
def test_a_shared_name_is_matched_by_both(one: str, other: str) -> None:
    name = common_name(one, other)
    assert name is None or (matches(one, name) and matches(other, name))


@given(PATTERNS, PATTERNS, NAMES)
def test_patterns_that_match_one_name_share_one(one: str, other: str, name: str) -> None:
    if matches(one, name) and matches(other, name):
        assert common_name(one, other) is not None


@given(PATTERNS, NAMES)
def test_a_pattern_shares_each_name_that_it_matches(pattern: str, name: str) -> None:
    """A name is a pattern that matches itself only."""
    assert common_name(pattern, name) == (name if matches(pattern, name) else None)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("gs://landing/incoming/x/*.csv", "write incoming/x/*.csv"),
        ("gs://landing", "begins with a bucket"),
        ("/incoming/x/*.csv", "write incoming/x/*.csv"),
        ("incoming/x/", "write incoming/x/*"),
        ("incoming/x[0-9]/*.csv", "has ["),
        ("incoming/{a,b}/*.csv", "has {"),
    ],
)
def test_a_pattern_that_no_object_fits(pattern: str, words: str) -> None:
    """The sentence says what to write, where that can be known."""
    assert words in (fault(pattern) or "")


def test_a_pattern_that_may_be() -> None:
    assert fault("incoming/**/a b-(1)_#?.csv") is None
