"""Figures by interval, as plots and tables show them: one value for each interval, those without any too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from dropmerge.operations.flow import LettersOfReason, Merges
from dropmerge.operations.past_loads import Throughput
from dropmerge.page.filters import plural

T = TypeVar("T")
Value = float | int | None

SPANS: Mapping[str, tuple[timedelta, timedelta, str]] = {
    "3h": (timedelta(hours=3), timedelta(minutes=5), "5min"),
    "24h": (timedelta(hours=24), timedelta(hours=1), "hour"),
    "7d": (timedelta(days=7), timedelta(hours=1), "hour"),
    "30d": (timedelta(days=30), timedelta(days=1), "day"),
}
"""By the word for how far back: that, how long an interval is, and what `history --by` calls it."""
_MOST_REASONS = 5


@dataclass(frozen=True)
class Series:
    name: str
    values: Sequence[Value]


@dataclass(frozen=True)
class Plot:
    id: str
    title: str
    sentence: str
    """What it shows, for those who do not see it."""
    times: Sequence[datetime]
    series: Sequence[Series]
    unit: str = ""
    """Of the values: nothing for counts, s, %, bytes."""
    kind: str = "bars"
    """bars, stack or lines."""

    @property
    def step(self) -> int:
        """Seconds of an interval."""
        return int((self.times[1] - self.times[0]).total_seconds())

    @property
    def lines(self) -> list[tuple[datetime, list[Value]]]:
        """Each interval with a value of each series."""
        return [(at, [series.values[n] for series in self.series]) for n, at in enumerate(self.times)]


@dataclass(frozen=True)
class Span:
    """How far back, and in which steps."""

    word: str
    now: datetime

    @property
    def step(self) -> timedelta:
        return SPANS[self.word][1]

    @property
    def by(self) -> str:
        return SPANS[self.word][2]

    @property
    def since(self) -> datetime:
        """The beginning of the first interval."""
        return _floor(self.now - SPANS[self.word][0], self.step) + self.step

    @property
    def times(self) -> list[datetime]:
        count = int((_floor(self.now, self.step) - self.since) / self.step) + 1
        return [self.since + n * self.step for n in range(count)]

    def at(self, part: str) -> datetime:
        """The beginning of an interval that `history --by` names."""
        return datetime.fromisoformat(part).replace(tzinfo=UTC)


def throughput_plots(span: Span, found: Iterable[Throughput]) -> list[Plot]:
    """Files, drop to merged, rejected share, bytes billed."""
    by_time = {span.at(one.part): one for one in found}
    times = span.times

    def each(value: Callable[[Throughput], Value], missing: Value = None) -> list[Value]:
        return [value(by_time[at]) if at in by_time else missing for at in times]

    merged = each(lambda one: one.merged, 0)
    slowest = max((one.p95_seconds for one in by_time.values() if one.p95_seconds is not None), default=None)
    rows, bad = sum(one.row_count for one in by_time.values()), sum(one.error_count for one in by_time.values())
    billed = [one.bytes_billed for one in by_time.values() if one.bytes_billed is not None]
    return [
        Plot(
            "files",
            "Files merged",
            f"{plural(_sum(merged), 'file was', 'files were')} merged.",
            times,
            [Series("files", merged)],
        ),
        Plot(
            "latency",
            "Drop to merged",
            "Nothing was merged." if slowest is None else f"At worst 95 of 100 files took up to {slowest:.1f} s.",
            times,
            [
                Series("p50", each(lambda one: one.p50_seconds)),
                Series("p95", each(lambda one: one.p95_seconds)),
            ],
            unit="s",
            kind="lines",
        ),
        Plot(
            "rejected",
            "Rejected rows",
            f"{bad:,} of {rows + bad:,} rows were rejected.",
            times,
            [Series("share", each(_share))],
            unit="%",
        ),
        Plot(
            "billed",
            "Bytes billed",
            f"{sum(billed):,} bytes were billed." if billed else "Nothing is known of costs here.",
            times,
            [Series("bytes", each(lambda one: one.bytes_billed))],
            unit="bytes",
        ),
    ]


def merges_plot(span: Span, found: Iterable[Merges]) -> Plot:
    """MERGEs, and files by MERGE."""
    merges, files = defaultdict[datetime, int](int), defaultdict[datetime, int](int)
    for one in found:
        merges[one.at] += one.merges
        files[one.at] += one.files
    total, all_files = sum(merges.values()), sum(files.values())
    each = f", {all_files / total:.1f} files each" if total else ""
    per_merge: list[Value] = [files[at] / merges[at] if merges[at] else None for at in span.times]
    return Plot(
        "merges",
        "MERGEs",
        f"{plural(total, 'MERGE')}{each}.",
        span.times,
        [Series("MERGEs", [merges[at] for at in span.times]), Series("files per MERGE", per_merge)],
        kind="lines",
    )


def letters_plot(span: Span, found: Iterable[LettersOfReason]) -> Plot:
    """By reason, the most frequent ones apart."""
    by_reason = defaultdict[str, dict[datetime, int]](dict)
    for one in found:
        by_reason[one.reason][one.at] = one.letters
    reasons = sorted(by_reason, key=lambda reason: (-sum(by_reason[reason].values()), reason))
    shown, others = reasons[:_MOST_REASONS], reasons[_MOST_REASONS:]
    series = [Series(reason, [by_reason[reason].get(at, 0) for at in span.times]) for reason in shown]
    if others:
        rest = [sum(by_reason[reason].get(at, 0) for reason in others) for at in span.times]
        series.append(Series("others", rest))
    total = sum(sum(found.values()) for found in by_reason.values())
    most = f"{', most often' if len(reasons) > 1 else ':'} {reasons[0]}" if reasons else ""
    sentence = f"{plural(total, 'dead letter was', 'dead letters were')} written{most}."
    return Plot(
        "letters",
        "Dead letters by reason",
        sentence,
        span.times,
        series or [Series("none", [0] * len(span.times))],
        kind="stack",
    )


def sparks(span: Span, found: Iterable[Merges]) -> dict[str, Sequence[int]]:
    """Files merged in each interval, by feed."""
    by_feed = defaultdict[str, dict[datetime, int]](dict)
    for one in found:
        by_feed[one.feed][one.at] = one.files
    return {feed: [by_time.get(at, 0) for at in span.times] for feed, by_time in by_feed.items()}


def _share(one: Throughput) -> Value:
    rows = one.row_count + one.error_count
    return round(100 * one.error_count / rows, 3) if rows else None


def _sum(values: Iterable[Value]) -> int:
    return int(sum(value or 0 for value in values))


def _floor(at: datetime, step: timedelta) -> datetime:
    seconds = int(step.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, UTC)
