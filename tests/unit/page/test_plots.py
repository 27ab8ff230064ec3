"""Figures by interval: each interval has a value, those without any as well."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from dropmerge.operations.flow import LettersOfReason, Merges
from dropmerge.operations.past_loads import Throughput
from dropmerge.page.plots import SPANS, Span, letters_plot, merges_plot, sparks, throughput_plots

_NOW = datetime(2026, 11, 28, 12, 34, 56, tzinfo=UTC)
_DAY = Span("24h", _NOW)
_NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
_ELEVEN = _NOON - timedelta(hours=1)


def _hour(part: str, **more: int | float | None) -> Throughput:
    given: dict[str, int | float | None] = {
        "files": 0,
        "merged": 0,
        "row_count": 0,
        "error_count": 0,
        "dead_letters": 0,
        "p50_seconds": None,
    }
    given |= {"p95_seconds": None, "bytes_billed": None, **more}
    return Throughput(part, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("word", SPANS)
def test_a_span_has_whole_intervals_and_ends_with_the_one_of_now(word: str) -> None:
    """As many as fit: the first is not cut off by the time of day."""
    length, step, _ = SPANS[word]
    times = Span(word, _NOW).times
    assert len(times) == length / step
    assert {later - earlier for earlier, later in pairwise(times)} == {step}
    assert times[-1] <= _NOW < times[-1] + step
    assert all(at.timestamp() % step.total_seconds() == 0 for at in times)


def test_intervals_are_those_that_history_names() -> None:
    assert _DAY.at("2026-11-28 12:00") == _NOON == _DAY.times[-1]
    assert Span("3h", _NOW).at("2026-11-28 12:30") == Span("3h", _NOW).times[-1]
    assert Span("30d", _NOW).at("2026-11-28") == Span("30d", _NOW).times[-1]


def test_throughput_has_a_value_for_each_interval() -> None:
    """No file is 0 files; without one there is no latency, no share and no price."""
    found = [
        _hour("2026-11-28 11:00", merged=3, p50_seconds=1.0, p95_seconds=4.0, bytes_billed=10),
        _hour("2026-11-28 12:00", merged=2, row_count=99, error_count=1, p50_seconds=2.0, p95_seconds=8.25),
    ]
    files, latency, rejected, billed = throughput_plots(_DAY, found)
    assert [series.values[-3:] for series in files.series] == [[0, 3, 2]]
    assert [series.values[-3:] for series in latency.series] == [[None, 1.0, 2.0], [None, 4.0, 8.25]]
    assert [series.values[-3:] for series in rejected.series] == [[None, None, 1.0]]
    assert [series.values[-3:] for series in billed.series] == [[None, 10, None]]
    assert all(len(series.values) == 24 for plot in (files, latency, rejected, billed) for series in plot.series)
    assert [plot.sentence for plot in (files, latency, rejected, billed)] == [
        "5 files were merged.",
        "At worst 95 of 100 files took up to 8.2 s.",
        "1 of 100 rows were rejected.",
        "10 bytes were billed.",
    ]


def test_nothing_is_a_plot_as_well() -> None:
    """Its sentence says that there was nothing."""
    plots = [*throughput_plots(_DAY, []), merges_plot(_DAY, []), letters_plot(_DAY, [])]
    assert all(len(line) == len(plot.series) for plot in plots for _, line in plot.lines)
    assert [plot.sentence for plot in plots] == [
        "0 files were merged.",
        "Nothing was merged.",
        "0 of 0 rows were rejected.",
        "Nothing is known of costs here.",
        "0 MERGEs.",
        "0 dead letters were written.",
    ]


def test_merges_of_all_feeds_are_counted_together() -> None:
    plot = merges_plot(_DAY, [Merges("a", _NOON, 2, 6), Merges("b", _NOON, 2, 2), Merges("a", _ELEVEN, 1, 1)])
    assert [series.values[-3:] for series in plot.series] == [[0, 1, 4], [None, 1.0, 2.0]]
    assert plot.sentence == "5 MERGEs, 1.8 files each."


def test_rare_reasons_are_one_series() -> None:
    """The five most frequent ones apart, the most frequent first."""
    found = [LettersOfReason(f"r{n}", _NOON, 10 - n) for n in range(7)]
    plot = letters_plot(_DAY, [*reversed(found), LettersOfReason("r6", _ELEVEN, 1)])
    assert [(one.name, one.values[-1]) for one in plot.series] == [
        ("r0", 10), ("r1", 9), ("r2", 8), ("r3", 7), ("r4", 6), ("others", 9),
    ]  # fmt: skip
    assert plot.series[-1].values[-2] == 1
    assert plot.sentence == "50 dead letters were written, most often r0."


def test_one_is_one() -> None:
    """Sentences are of one file as of many."""
    assert throughput_plots(_DAY, [_hour("2026-11-28 12:00", merged=1)])[0].sentence == "1 file was merged."
    assert merges_plot(_DAY, [Merges("a", _NOON, 1, 1)]).sentence == "1 MERGE, 1.0 files each."
    assert letters_plot(_DAY, [LettersOfReason("r", _NOON, 1)]).sentence == "1 dead letter was written: r."


def test_a_spark_has_a_value_for_each_interval_of_its_feed() -> None:
    found = sparks(_DAY, [Merges("a", _NOON, 1, 3), Merges("b", _ELEVEN, 1, 1)])
    assert {feed: list(values[-2:]) for feed, values in found.items()} == {"a": [0, 3], "b": [1, 0]}
    assert {len(values) for values in found.values()} == {24}
