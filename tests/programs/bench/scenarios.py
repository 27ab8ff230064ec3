"""What is measured, by name: to add a scenario, write its module and list it here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.programs.bench import (
    bigquery_side,
    burst,
    cold_start,
    console,
    generated,
    large,
    latency,
    profile,
    pubsub,
    tables,
    wide,
)
from tests.programs.bench.figures import Found
from tests.programs.bench.options import Options


@dataclass(frozen=True)
class Scenario:
    title: str
    measure: Callable[[Options], Found]
    section: Callable[[Found, Found | None], str] = tables.section
    """Markdown of what was found now and, if there was such a run, before."""


SCENARIOS: Mapping[str, Scenario] = {
    "large": Scenario("A large file", large.measure),
    "latency": Scenario("One small file", latency.measure),
    "burst": Scenario("Many small files at once", burst.measure),
    "wide": Scenario("A wide file", wide.measure),
    "cold-start": Scenario("A function's start", cold_start.measure),
    "console": Scenario("The console page", console.measure),
    "generator": Scenario("The generator", generated.measure),
    "pubsub": Scenario("The local Pub/Sub", pubsub.measure),
    "profile": Scenario("Time by step and by part", profile.measure, profile.section),
    "bigquery": Scenario(
        "BigQuery's side",
        lambda options: bigquery_side.measure(options.quick),
        lambda now, _: bigquery_side.section(now),
    ),
}
