"""Names and sentences of others are text, whatever is in them; times, numbers and sizes are in words."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask import Flask, render_template_string
from markupsafe import Markup

from dropmerge.page import filters

_DASH = "\N{EN DASH}"
_HOSTILE = "<script>alert(1)</script>\"onmouseover='x' {{7*7}} &lt;"


@pytest.mark.parametrize("write", [filters.name, filters.prose, filters.state_mark])
def test_what_would_be_markup_is_text(write: Callable[[str], Markup]) -> None:
    """Nothing of it opens a tag, ends an attribute, or is taken for an entity."""
    found = str(write(_HOSTILE))
    inner = found.partition(">")[2].rpartition("<")[0].replace("</span> ", "")
    assert "<script" not in found
    assert '"onmouseover' not in found
    assert "&amp;lt;" in inner
    assert "{{7*7}}" in found


def test_a_template_writes_a_filtered_name_as_it_is() -> None:
    """It is escaped once, and what is in braces is not computed."""
    app = Flask(__name__)
    filters.register(app)
    with app.app_context():
        found = render_template_string("<p>{{ given|name }} {{ given }}</p>", given="<b>{{7*7}}")
    assert found == "<p><bdi>&lt;b&gt;{{7*7}}</bdi> &lt;b&gt;{{7*7}}</p>"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("gpj.\N{RIGHT-TO-LEFT OVERRIDE}csv", r"gpj.\u202ecsv"),
        ("a\0b\x1b[31m", r"a\x00b\x1b[31m"),
        ("two\nlines", r"two\nlines"),
        ("a\N{NO-BREAK SPACE}b\N{ZERO WIDTH SPACE}c", r"a\xa0b\u200bc"),
        ("\ud800", r"\ud800"),
        ("größe 😀", "größe 😀"),
        (None, ""),
    ],
)
def test_what_cannot_be_seen_of_a_name_is_an_escape(given: str | None, shown: str) -> None:
    """What is printed in any script stays as it is, apart from the direction of the text around it."""
    assert filters.name(given) == Markup("<bdi>{}</bdi>").format(shown)


def test_a_sentence_keeps_its_lines_and_no_other_control_character() -> None:
    assert filters.prose("a\nb\tc\r") == Markup("<bdi>a\nb\\tc\\r</bdi>")


def test_a_very_long_name_is_cut_in_its_middle() -> None:
    """Both ends tell files apart; the whole of it is in the tooltip, as text of an attribute."""
    given = f'"{"a" * 500}b>'
    found = str(filters.name(given))
    assert found.endswith(f">&#34;{'a' * 79}…{'a' * 78}b&gt;</bdi>")
    assert f'title="&#34;{"a" * 500}b&gt;"' in found
    assert filters.name("x" * 160) == f"<bdi>{'x' * 160}</bdi>"


def test_a_sentence_that_is_far_too_long_is_cut() -> None:
    assert filters.prose("x" * 4001) == f"<bdi>{'x' * 4000}…</bdi>"


def test_what_is_to_be_typed_is_set_apart() -> None:
    """Between backticks; what is there stays text."""
    assert filters.prose("run `dropmerge up <b>`, then") == "<bdi>run <code>dropmerge up &lt;b&gt;</code>, then</bdi>"
    assert filters.prose("one ` alone") == "<bdi>one ` alone</bdi>"


def test_json_is_shown_on_lines_with_what_cannot_be_seen_as_escapes() -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    assert (
        filters.pretty({"a\u202e": [1, at]}) == '{\n  "a\\u202e": [\n    1,\n    "2026-01-02 00:00:00+00:00"\n  ]\n}'
    )


def test_a_time_is_in_utc_with_the_exact_one_for_machines() -> None:
    """Whichever zone it comes in, and also as text."""
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))
    for given in (at, at.isoformat()):
        assert filters.when(given) == '<time datetime="2026-01-02T01:04:05+00:00">2026-01-02 01:04:05 UTC</time>'
    assert (filters.when(None), filters.since(None)) == ("", "")


def test_how_long_ago_has_the_exact_time_beside_it() -> None:
    at = datetime.now(UTC) - timedelta(hours=2, minutes=5)
    found = filters.since(at)
    assert f'datetime="{at.isoformat()}"' in found
    assert f'title="{at:%Y-%m-%d %H:%M:%S} UTC"' in found
    assert found.endswith(">2 h 5 min ago</time>")


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KiB"),
        (150 * 1024, "150 KiB"),
        (12 * 2**30, "12.0 GiB"),
        (None, _DASH),
    ],
)
def test_a_size_has_two_or_three_figures(number: int | None, shown: str) -> None:
    assert filters.size(number) == shown


def test_numbers_have_their_thousands_apart() -> None:
    """What is not known is not 0."""
    assert [filters.count(number) for number in (0, 1234567, None)] == ["0", "1,234,567", ""]
    assert [filters.plural(number, "file") for number in (0, 1, 2000)] == ["0 files", "1 file", "2,000 files"]
    assert filters.plural(2, "file has", "files have") == "2 files have"
    assert [filters.seconds(None), filters.seconds(0.0), filters.step(1.234), filters.step(90)] == [
        _DASH, "0.0 s", "1.23 s", "1 min 30 s",
    ]  # fmt: skip
