"""Alerts: what they watch, what they say, and which lines of the log one of them is about."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy import topology
from deploy.topology import ROOT
from tests.deploy import hcl

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
POLICIES = {one.name: one for one in hcl.resources("google_monitoring_alert_policy")}
ALERTS: dict[str, Any] = hcl.local_values("foundation")["alerts"]
NAMES = [*ALERTS, "Pushes refused", "Crash"]


def sections() -> dict[str, str]:
    """The runbook's text about each alert."""
    section = RUNBOOK.partition("\n## Alerts\n")[2].partition("\n## ")[0]
    parts = re.split(r"^### (.+)$", section, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_alert_says_its_section_of_the_runbook() -> None:
    """Whoever is woken can read it where they are, without a link that may not open."""
    contents = {name: one.block("documentation")["content"] for name, one in POLICIES.items()}
    assert contents == {
        "metric": "${local.documentation[each.key]}",
        "refused": '${local.documentation["Pushes refused"]}',
        "crash": '${local.documentation["Crash"]}',
    }
    assert {one.body["display_name"] for one in POLICIES.values()} == {
        "dropmerge: ${each.key}", "dropmerge: Pushes refused", "dropmerge: Crash"
    }  # fmt: skip
    assert set(sections()) == set(NAMES)
    # https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.alertPolicies#Documentation
    assert all(20 < len(text.encode()) < 8000 for text in sections().values())


@pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")
def test_terraform_finds_these_sections_and_the_names_of_google(tmp_path: Path) -> None:
    """Terraform itself evaluates the foundation's locals, which need no provider."""
    found = evaluated(tmp_path, "https://example.org/runbook.md")
    assert found["documentation"] == {
        name: f"{text.strip()}\n\nThe whole runbook: https://example.org/runbook.md#{name.lower().replace(' ', '-')}"
        for name, text in sections().items()
    }
    assert evaluated(tmp_path, "")["documentation"] == {name: text.strip() for name, text in sections().items()}
    there = topology.read().on_google()
    filters = " ".join(alert["filter"] for alert in found["alerts"].values() if "subscription_id" in alert["filter"])
    named = set(re.findall(r'(?:subscription_id = |one_of\(|, )"([\w-]+)"', filters))
    assert named == set(there.subscriptions)


def evaluated(folder: Path, runbook: str) -> dict[str, Any]:
    """The foundation's `alerts` and `documentation`, by Terraform."""
    root = folder / "deploy" / "google" / "foundation"
    if not root.exists():
        for name in ("deploy/topology.yaml", "deploy/google/requirements.yaml", "docs/runbook.md"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        shutil.copytree(ROOT / "deploy" / "feeds", folder / "deploy" / "feeds")
        root.mkdir()
        for name in ("alerts", "project", "variables"):
            text = (hcl.path_of("foundation") / f"{name}.tf").read_text()
            kept = re.findall(r"^(?:locals|variable)\b.*?^}$", text, re.MULTILINE | re.DOTALL)
            text = "\n\n".join(kept).replace("google_monitoring_notification_channel.operators", "[]")
            (root / f"{name}.tf").write_text(text)
        subprocess.run(["terraform", f"-chdir={root}", "init"], capture_output=True, check=True)
    variables = {"project": "p", "project_number": "1", "region": "r", "runbook": runbook}
    words = [f"-var={name}={value}" for name, value in variables.items()]
    asked = "jsonencode({alerts = local.alerts, documentation = local.documentation})"
    answer = subprocess.run(
        ["terraform", f"-chdir={root}", "console", *words], input=asked, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(json.loads(answer.stdout))
    return found


def conditions() -> list[str]:
    """The filters of all alerts on metrics."""
    refused = [block["condition_threshold"][0]["filter"] for block in POLICIES["refused"].body["conditions"]]
    return [*(one["filter"] for one in ALERTS.values()), *refused]


def test_alerts_watch_what_must_not_go_unseen() -> None:
    """Alerts watch both kinds of dead letter, age, pushes, functions and merge's backlog."""
    assert {match for text in conditions() for match in re.findall(r'metric.type = "([^"]+)"', text)} == {
        "pubsub.googleapis.com/subscription/num_undelivered_messages",
        "pubsub.googleapis.com/subscription/dead_letter_message_count",
        "pubsub.googleapis.com/subscription/oldest_unacked_message_age",
        "pubsub.googleapis.com/subscription/push_request_count",
        "run.googleapis.com/request_count",
    }


def test_a_burst_that_finds_no_instance_wakes_nobody() -> None:
    """Each class of response but two has an alert of its own: a 5xx is counted by the function, and a 4xx counts once
    messages grow old of it."""
    excluded = set(re.findall(r'response_class != "(\w+)"', ALERTS["Push errors"]["filter"]))
    assert excluded == {"ack", "remote_server_5xx", "remote_server_4xx"}
    refused = POLICIES["refused"].body
    assert refused["combiner"] == "AND"
    pushes, age = [block["condition_threshold"][0] for block in refused["conditions"]]
    assert pushes["filter"].endswith('metric.labels.response_class = "remote_server_4xx"')
    assert "oldest_unacked_message_age" in age["filter"]
    assert 600 < age["threshold_value"] < ALERTS["Oldest message too old"]["threshold"]


LOGS = "projects/p/logs/run.googleapis.com%2F"
INGEST, OTHER = "dropmerge-ingest", "shop"


@pytest.mark.parametrize(
    ("log", "service", "severity", "fires"),
    [
        pytest.param("stderr", INGEST, "ERROR", True, id="a crash"),
        pytest.param("varlog%2Fsystem", INGEST, "ERROR", True, id="out of memory"),
        pytest.param("stderr", INGEST, "CRITICAL", True, id="worse"),
        pytest.param("stderr", INGEST, "WARNING", False, id="a transient failure"),
        pytest.param("requests", INGEST, "ERROR", False, id="a 503 that asks for the message once more"),
        pytest.param("requests", INGEST, "WARNING", False, id="a 429"),
        pytest.param("stderr", OTHER, "ERROR", False, id="another's service"),
    ],
)
def test_a_crash_is_a_line_of_a_service_and_no_answer_to_a_push(
    log: str, service: str, severity: str, fires: bool
) -> None:
    text = POLICIES["crash"].block("conditions", "condition_matched_log")["filter"]
    ids = " OR ".join(f'"{topology.read().name_prefix}{name}"' for name in topology.SERVICES)
    assert '${replace(local.function_ids, ", ", " OR ")}' in text
    text = text.replace('${replace(local.function_ids, ", ", " OR ")}', ids)
    entry = {
        "logName": LOGS + log,
        "resource.type": "cloud_run_revision",
        "resource.labels.service_name": service,
        "severity": severity,
    }
    assert matches(text, entry) is fires


SEVERITIES = ["DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"]


def matches(text: str, entry: dict[str, str]) -> bool:
    """As much of the language of filters as the filter needs: terms joined by AND, each perhaps with NOT before it
    (https://cloud.google.com/logging/docs/view/logging-query-language)."""
    return all(_holds(term, entry) for term in text.split(" AND "))


def _holds(term: str, entry: dict[str, str]) -> bool:
    parsed = re.fullmatch(r"(NOT )?([\w.]+) ?(=|:|>=) ?\(?(.+?)\)?", term)
    assert parsed, term
    negated, field, operator, words = parsed.groups()
    values = [word.strip('"') for word in words.split(" OR ")]
    value = entry[field]
    if operator == ">=":
        holds = SEVERITIES.index(value) >= SEVERITIES.index(values[0])
    else:
        holds = value in values if operator == "=" else any(one in value for one in values)
    return holds is not bool(negated)


def test_the_dashboard_is_written_as_the_api_answers_it() -> None:
    """A number of columns, which the API answers as text, would be a change in every plan."""
    (dashboard,) = hcl.resources("google_monitoring_dashboard")
    assert re.search(r'columns = "\d"', str(dashboard.body["dashboard_json"]))
