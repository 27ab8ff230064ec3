"""The runbook has a remedy for every reason, its tables are made from the code, and its commands can be typed."""

import re
import shlex

import pytest
from typer.testing import CliRunner

from deploy import topology
from deploy.google.probe import command as probe
from deploy.topology import ROOT
from dropmerge.cli.main import app
from dropmerge.operations.dead_letters.remedies import REMEDIES, row_table, table
from dropmerge.operations.status.states import FeedState, ServiceState
from services.shared.reasons import REASONS
from services.shared.settings import Settings

_SECTIONS = ("The first day", "Going back a revision", "An outage of hours")


def test_every_reason_has_its_remedy() -> None:
    """No remedy is left for a reason that no longer exists."""
    assert set(REMEDIES) == set(REASONS)


def test_the_runbooks_tables_are_made_from_the_code() -> None:
    """`python -m dropmerge.operations.dead_letters.remedies` prints them anew."""
    page = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    assert "\n".join(table()) in page
    assert "\n".join(row_table()) in page


def test_the_runbook_says_what_each_state_means() -> None:
    """In the order in which they are looked at."""
    page = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    for states in (FeedState, ServiceState):
        assert "\n".join(f"| {state} | {state.sentence} |" for state in states) in page


def _section(title: str) -> str:
    page = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    return page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def _typed(title: str) -> list[str]:
    return [line.strip() for line in re.findall(r"^ {4,}(\w.+)$", _section(title), re.M)]


@pytest.mark.parametrize("title", _SECTIONS)
def test_the_commands_of_these_sections_can_be_typed(title: str) -> None:
    """Options that exist, targets of the Makefile, names of what Terraform makes. None is longer than a screen."""
    assert len(_section(title).splitlines()) < 50
    lines = _typed(title)
    assert lines
    for line in lines:
        program, *words = shlex.split(line)
        {"dropmerge": _parse_dropmerge, "python": _parse_probe, "make": _parse_make, "gcloud": _parse_gcloud}[program](
            words
        )


def _parse_dropmerge(words: list[str]) -> None:
    """With --help it does nothing, but reads its options first."""
    done = CliRunner().invoke(app, [*words, "--help"])
    assert done.exit_code == 0, done.output


def _parse_probe(words: list[str]) -> None:
    assert words[:3] == ["-m", "deploy.google", "probe"]
    probe._parser(str, str).parse_args(words[3:])


def _parse_make(words: list[str]) -> None:
    target, *variables = words
    assert re.fullmatch(r"deploy-(SERVICE|foundation)", target)
    assert variables == ["PROJECT=PROJECT", "REGION=REGION"]


def _parse_gcloud(words: list[str]) -> None:
    name = f"{_prefix()}SERVICE"
    assert name in words
    assert words[words.index("--project") + 1] == "PROJECT"


def _prefix() -> str:
    """Of the names of functions and subscriptions on Google Cloud."""
    return str(getattr(topology.read(), "name_prefix", ""))


def test_what_the_runbook_says_of_an_outage_is_what_the_topology_says() -> None:
    """How often a message is tried, for how long, and for how long it is kept."""
    section = _section("An outage of hours")
    for service in topology.SERVICES:
        settings = topology.read().subscriptions[topology.read().push_subscription(service)]
        least, most = (settings["retry"][f"{one}_backoff_seconds"] for one in ("minimum", "maximum"))
        attempts = settings["dead_letter"]["max_delivery_attempts"]
        hours = sum(min(most, least * 2**number) for number in range(attempts - 1)) / 3600
        said = f"after {least} s, then after twice as long each time, up to {most // 60} minutes: {attempts} times\n"
        assert f"{said}in some {int(hours)} hours." in section
        assert settings["retention_seconds"] == 7 * 24 * 3600
    assert "kept for a week" in section
    assert f"for their first {Settings.model_fields['patience_seconds'].default / 60:g} minutes" in section
