"""The contracts: which are deployed, which are on disk, and how each feed stands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dropmerge.operations.deployed import Deployed
from dropmerge.operations.errors import UsageError
from dropmerge.operations.feeds.against import effects
from dropmerge.operations.flow import read_merges
from dropmerge.operations.past_loads import FIGURES, Throughput, Wanted, throughput
from dropmerge.page.arguments import Arguments
from dropmerge.page.command_line import command_line
from dropmerge.page.plots import SPANS, Plot, Span, merges_plot, throughput_plots
from dropmerge.page.site import Site
from dropmerge.page.view_model import ViewModel


def feeds(site: Site, arguments: Arguments) -> ViewModel:
    """One row for each."""
    answer = site.status()
    contracts = answer.value.contracts
    known = site.connect().feeds

    def lines() -> list[dict[str, Any]]:
        return [{"feed": name, "table": known[name].table, **_contracts(contracts, name)} for name in sorted(known)]

    return ViewModel(
        "Feeds",
        "feeds.html",
        "dropmerge feeds check",
        answer.as_of,
        json=lines,
        columns=("feed", "table", "on_disk", *contracts.running),
        rows=lines,
        values={
            "feeds": {name: known[name] for name in sorted(known)},
            "status": answer.value,
            "contracts": {name: _contracts(contracts, name) for name in known},
            "differences": list(contracts.differences()),
        },
        trouble=answer.trouble,
    )


def feed(site: Site, arguments: Arguments) -> ViewModel:
    """`name`: of the feed."""
    name = arguments.text("name")
    contract = site.connect().feeds.get(name)
    if contract is None:
        raise UsageError(f"no feed {name!r}; there are: {', '.join(site.connect().feeds)}")
    span = Span(arguments.text("span", SPANS) or "24h", datetime.now(UTC))
    answer = site.status()
    status = answer.value
    flow = site.read(
        ("throughput", span.word, name), lambda connection: throughput(connection, Wanted(span.since, name), span.by)
    )
    moved = site.read(
        ("merges", span.word, name), lambda connection: read_merges(connection, span.since, span.step, name)
    )
    deploying = site.read(("effect", name, contract.fingerprint), lambda connection: effects(connection, [contract]))
    return ViewModel(
        f"Feed {name}",
        "feed.html",
        command_line("feeds", "show", name),
        answer.as_of,
        json=lambda: {
            "feed": name,
            "contract": contract.model_dump(mode="json", by_alias=True, exclude_none=True),
            **_contracts(status.contracts, name),
            "status": status.feeds[name].as_json(),
        },
        columns=(span.by, *FIGURES),
        rows=lambda: ({span.by: one.part, **_figures(one)} for one in flow.value),
        values={
            "feed": contract,
            "status": status.feeds[name],
            "contracts": _contracts(status.contracts, name),
            "since": status.contracts.since,
            "effect": deploying.value[0],
            "plots": _plots(span, flow.value, merges_plot(span, moved.value)),
            "billed": sum(one.bytes_billed or 0 for one in flow.value) or None,
            "span": span,
            "spans": SPANS,
        },
        trouble=answer.trouble or flow.trouble or moved.trouble,
    )


def _plots(span: Span, found: list[Throughput], merges: Plot) -> list[Plot]:
    files, latency, rejected, billed = throughput_plots(span, found)
    return [files, latency, rejected, merges, billed]


def _figures(one: Throughput) -> dict[str, Any]:
    return {name: value for name, value in vars(one).items() if name != "part"}


def _contracts(contracts: Deployed, name: str) -> dict[str, str | None]:
    """The contract's fingerprint on disk, and as each service runs it."""
    running = {service: some.get(name) for service, some in contracts.running.items()}
    return {"on_disk": contracts.on_disk.get(name), **running}
