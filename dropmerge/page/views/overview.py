"""What needs somebody, a row for each feed, and three plots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from dropmerge.operations.flow import read_letters_by_reason, read_merges
from dropmerge.operations.past_loads import Wanted, throughput
from dropmerge.operations.status.attention import Attention
from dropmerge.operations.status.feeds import COLUMNS
from dropmerge.operations.status.read import Status
from dropmerge.page.arguments import Arguments
from dropmerge.page.plots import SPANS, Span, letters_plot, sparks, throughput_plots
from dropmerge.page.site import Site
from dropmerge.page.view_model import ViewModel

_SHOWN_PLOTS = ("files", "latency")


@dataclass(frozen=True)
class Need:
    """What needs somebody, and where to look."""

    attention: Attention
    link: str


def overview(site: Site, arguments: Arguments) -> ViewModel:
    """The first page."""
    span = Span(arguments.text("span", SPANS) or "24h", datetime.now(UTC))
    answer = site.status()
    status = answer.value
    moved = site.read(("merges", span.word), lambda connection: read_merges(connection, span.since, span.step))
    flow = site.read(
        ("throughput", span.word, ""), lambda connection: throughput(connection, Wanted(span.since), span.by)
    )
    letters = site.read(
        ("letters", span.word), lambda connection: read_letters_by_reason(connection, span.since, span.step)
    )
    plots = [plot for plot in throughput_plots(span, flow.value) if plot.id in _SHOWN_PLOTS]
    return ViewModel(
        "Overview",
        "overview.html",
        "dropmerge status",
        answer.as_of,
        json=lambda: site.status(with_totals=True).value.as_json(),
        columns=("feed", *COLUMNS),
        rows=lambda: [{"feed": name, **one.as_json()} for name, one in status.feeds.items()],
        values={
            "status": status,
            "needs": [Need(one, _link(one, status)) for one in status.attention],
            "plots": [*plots, letters_plot(span, letters.value)],
            "sparks": sparks(span, moved.value),
            "span": span,
            "spans": SPANS,
        },
        trouble=answer.trouble or flow.trouble or letters.trouble,
    )


def _link(one: Attention, status: Status) -> str:
    """The page that says more."""
    if one.what == "dead_letters":
        return f"/dead-letters?{urlencode({'feed': one.feed or '-'})}"
    late = status.feeds[one.feed].late if one.what == "late" and one.feed else None
    if late:
        return f"/file?{urlencode({'name': str(late.oldest.source)})}"
    if one.what == "contracts":
        return "/feeds"
    if one.what == "unannounced":
        return "/files"
    return "/health"
