"""The console page's root: who may open it, what each of its identities may do, what it is told and made of."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from deploy import bundle, topology
from deploy.google import __main__ as command
from deploy.google import image
from deploy.topology import ROOT
from dropmerge.page import google as page
from dropmerge.page.access import Role
from dropmerge.page.serve import THREADS
from services.shared.settings import SettingsError
from tests.deploy import hcl
from tests.harness.console import free_port
from tests.harness.subscription import wait_until

GRANTS = [r for r in hcl.resources() if re.search(r"_iam_(member|binding|policy)$", r.kind)]
PLACES = ("bucket", "dataset_id", "table_id", "topic", "subscription", "project", "name")
DATASETS = "${google_bigquery_dataset.dataset[each.key].dataset_id} ${local.datasets}"
BUCKETS = "{'landing': '${google_storage_bucket.landing.name}', 'archive': '${google_storage_bucket.archive.name}'}"
LOOKS = {
    ("roles/bigquery.dataViewer", DATASETS),
    ("roles/bigquery.jobUser", "${var.project}"),
    ("roles/monitoring.viewer", "${var.project}"),
    ("roles/storage.objectViewer", f"${{each.value}} {BUCKETS}"),
}
ACTS = {
    (
        "roles/pubsub.publisher",
        "${google_pubsub_topic.topic[each.key].id} "
        "${toset(flatten([for one in local.pushed : [one.topic, one.dead_letter.topic]]))}",
    ),
    ("roles/pubsub.subscriber", "${google_pubsub_subscription.waiting[each.key].name} ${local.pulled}"),
    (
        "roles/bigquery.dataEditor",
        "${google_bigquery_table.journal.dataset_id} ${google_bigquery_table.journal.table_id}",
    ),
    ("roles/run.jobsExecutorWithOverrides", "${google_cloud_run_v2_job.operations.name}"),
}


def one(kind: str, name: str) -> hcl.Resource:
    (found,) = [resource for resource in hcl.resources(kind) if (resource.folder, resource.name) == ("console", name)]
    return found


def members(grant: hcl.Resource) -> str:
    return str(grant.body.get("member", grant.body.get("members")))


def granted(role: str) -> set[tuple[str, str]]:
    """Role and place, of every grant to the page's identity, by whatever it is called."""
    names = (f"google_service_account.console_{role}.", f"dropmerge-console-{role}@")
    return {
        (
            grant.body["role"],
            " ".join(str(grant.body[key]) for key in (*PLACES, "for_each") if grant.body.get(key)),
        )
        for grant in GRANTS
        if any(name in members(grant) for name in names)
    }


def test_a_viewer_s_page_reads_and_changes_nothing() -> None:
    """G8: no right on Pub/Sub at all, none to write anywhere, none to start the job."""
    assert granted("viewer") == LOOKS
    assert all(re.search(r"[vV]iewer$|jobUser$", role) for role, _ in granted("viewer"))


def test_an_operator_s_page_may_do_what_a_replay_a_discard_and_an_undo_take_and_no_more() -> None:
    """G8: it publishes to the four topics, takes from the two subscriptions of dead letters, writes one table."""
    assert granted("operator") == LOOKS | ACTS
    there = topology.read()
    pulled = [name for name, one in there.subscriptions.items() if "push_to" not in one and "to_table" not in one]
    assert pulled == [there.dead_letter_subscription(service) for service in topology.SERVICES]
    pushed = [one for one in there.subscriptions.values() if "push_to" in one]
    topics = {name for one in pushed for name in (one["topic"], one["dead_letter"]["topic"])}
    for service in topology.SERVICES:
        assert {there.source_topic(service), there.dead_letter_topic(service)} <= topics
    assert len(topics) == 4


def test_no_grant_hides_whom_it_is_for() -> None:
    """The two tests above find a grant by its member's name."""
    hidden = [grant.address for grant in GRANTS if re.search(r"\beach\b|\bfor\b", members(grant))]
    assert hidden == ["console: google_iap_web_cloud_run_service_iam_binding.people"]


def test_page_and_job_run_as_these_identities() -> None:
    """The job as the operator's, whose work it goes on with; nobody as the project's default one."""
    accounts = {r.body["account_id"] for r in hcl.resources("google_service_account") if r.folder == "foundation"}
    assert {"dropmerge-console-viewer", "dropmerge-console-operator"} <= accounts
    template = one("google_cloud_run_v2_service", "page").block("template")
    assert template["service_account"] == "dropmerge-console-${each.key}@${var.project}.iam.gserviceaccount.com"
    job = one("google_cloud_run_v2_job", "operations").block("template", "template")
    assert job["service_account"] == "dropmerge-console-operator@${var.project}.iam.gserviceaccount.com"


def test_iap_alone_may_call_the_page_and_asks_everybody() -> None:
    """The page is open to the network, so that a browser reaches it, and closed to who has not been asked."""
    service = one("google_cloud_run_v2_service", "page").body
    assert service["for_each"] == "${local.own}"
    assert set(hcl.local_values("console")["own"]) == set(Role)
    assert service["iap_enabled"] is True
    assert service["ingress"] == "INGRESS_TRAFFIC_ALL"
    assert "invoker_iam_disabled" not in service
    (invoker,) = [r for r in GRANTS if r.folder == "console" and r.body["role"] == "roles/run.invoker"]
    assert invoker.kind == "google_cloud_run_v2_service_iam_binding"
    assert invoker.body["for_each"] == "${google_cloud_run_v2_service.page}"
    assert invoker.body["members"] == ["${local.iap_agent}"]
    agent = hcl.local_values("console")["iap_agent"]
    assert agent == "serviceAccount:service-${var.project_number}@gcp-sa-iap.iam.gserviceaccount.com"
    (identity,) = [r for r in hcl.resources("google_project_service_identity") if r.name == "iap"]
    assert (identity.folder, identity.body["service"]) == ("foundation", "iap.googleapis.com")


def test_iap_lets_through_whom_the_variables_name() -> None:
    """Each to the deployment of their role; nobody, unless they are named."""
    people = one("google_iap_web_cloud_run_service_iam_binding", "people").body
    assert people["for_each"] == "${{for role, members in local.people : role => members if length(members) > 0}}"
    assert people["members"] == "${each.value}"
    assert people["cloud_run_service_name"] == "${google_cloud_run_v2_service.page[each.key].name}"
    assert people["role"] == "roles/iap.httpsResourceAccessor"
    assert hcl.local_values("console")["people"] == {
        "viewer": "${var.console_viewers}",
        "operator": "${var.console_operators}",
    }
    for name in ("console_viewers", "console_operators"):
        assert hcl.blocks("console", "variable")[name]["default"] == []


def environment(role: str) -> dict[str, str]:
    """What Terraform tells the page, filled in."""
    values = hcl.local_values("console")
    there = {
        "var.project_number": "12345",
        "var.project": "my-project",
        "var.region": "europe-west1",
        "local.prefix": topology.read().name_prefix,
        'var.dataset_location == "" ? var.region : var.dataset_location': "EU",
    }

    def filled(text: str) -> str:
        for name, value in (*there.items(), ("local.audience", values["audience"])):
            text = text.replace(f"${{{name}}}", value)
        return text if "${" not in text else filled(text)

    return {name: filled(text) for name, text in {**values["common"], **values["own"][role]}.items()}


@pytest.mark.parametrize("role", list(Role))
def test_the_page_starts_with_what_terraform_tells_it(role: Role) -> None:
    """Every variable that it reads is set, none beside, and each has a form that it takes."""
    told = environment(role)
    assert set(told) == set(page._FORMS)
    settings = page.read_settings(told)
    assert settings.role == role
    name = f"dropmerge-console-{role}"
    assert settings.audience == f"/projects/12345/locations/europe-west1/services/{name}"
    assert one("google_cloud_run_v2_service", "page").body["name"] == "${local.prefix}console-${each.key}"
    assert settings.job == ("projects/my-project/locations/europe-west1/jobs/dropmerge-console" * (role == "operator"))
    assert one("google_cloud_run_v2_job", "operations").body["name"] == "${local.prefix}console"


def container(resource: hcl.Resource, *path: str) -> dict[str, Any]:
    found: dict[str, Any] = resource.block(*path, "containers")
    return found


def test_page_and_job_are_told_all_of_it() -> None:
    """The job the same as the operator's page."""
    service = container(one("google_cloud_run_v2_service", "page"), "template")
    job = container(one("google_cloud_run_v2_job", "operations"), "template", "template")
    for one_of_them, what in ((service, "each.value"), (job, "local.own.operator")):
        (dynamic,) = one_of_them["dynamic"]
        assert dynamic["env"]["for_each"] == f"${{merge(local.common, {what})}}"
        assert dynamic["env"]["content"] == [{"name": "${env.key}", "value": "${env.value}"}]
        assert "env" not in one_of_them


def test_what_is_in_memory_is_in_one_instance() -> None:
    """Whose server has a thread for each request that it is given."""
    template = one("google_cloud_run_v2_service", "page").block("template")
    assert template["scaling"] == [{"min_instance_count": 0, "max_instance_count": 1}]
    (resources,) = template["containers"][0]["resources"]
    assert resources["limits"] == {"cpu": "1", "memory": "512Mi"}
    assert template["max_instance_request_concurrency"] == THREADS


def page_command() -> list[str]:
    (line,) = [one for one in DOCKERFILE.splitlines() if one.startswith("CMD ")]
    found: list[str] = json.loads(line.removeprefix("CMD "))
    return found


def test_what_the_image_runs_answers_and_ends_when_it_is_told_to() -> None:
    """Nobody without an assertion of IAP's is let in."""
    port = free_port()
    told = {
        **os.environ,
        **environment(Role.VIEWER),
        "DROPMERGE_FEEDS": str(ROOT / "deploy" / "feeds"),
        "PORT": str(port),
    }
    with subprocess.Popen([sys.executable, *page_command()[1:]], cwd=ROOT, env=told, stderr=subprocess.PIPE) as server:
        wait_until(lambda: _status(port), "listening")
        assert _status(port) == 403
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
        assert server.stderr
        assert not server.stderr.read()


def _status(port: int) -> int | None:
    try:
        return requests.get(f"http://127.0.0.1:{port}/overview", timeout=30).status_code
    except requests.ConnectionError:
        return None


@pytest.mark.parametrize("text", [None, "", "http", "80 80"])
def test_a_port_that_is_none_is_named(text: str | None) -> None:
    with pytest.raises(SettingsError, match="PORT"):
        page._port({} if text is None else {"PORT": text})


DOCKERFILE = (ROOT / "deploy" / "google" / "console" / "Dockerfile").read_text()


def test_one_image_is_the_page_s_and_the_job_s() -> None:
    """Of the bundle that was planned with: what is built afterwards has that name."""
    service = container(one("google_cloud_run_v2_service", "page"), "template")
    job = container(one("google_cloud_run_v2_job", "operations"), "template", "template")
    assert service["image"] == job["image"] == "${local.image}"
    named = hcl.local_values("console")["image"]
    for expression, value in (("var.region", "r"), ("var.project", "p"), ("filesha256(var.bundle)", "d")):
        named = named.replace(f"${{{expression}}}", value)
    assert named == image.Image("p", "r", "d").name
    assert "command" not in service
    assert job["command"] == ["python", "-m", "dropmerge.page.worker"]
    assert "args" not in job


def test_the_image_has_the_python_and_the_pins_of_the_services() -> None:
    """Hashes are checked, and it runs as nobody."""
    lines = DOCKERFILE.splitlines()
    assert f"FROM python:{topology.read().python}-slim" in lines
    (install,) = [shlex.split(line) for line in lines if "pip install" in line]
    assert "--require-hashes" in install
    assert lines.index("COPY . .") < lines.index("USER 65534:65534")
    assert page_command() == ["python", "-m", "dropmerge.page.google"]


def test_its_bundle_is_the_page_and_what_it_calls() -> None:
    """Without the commands, the demo, the tests and the local cloud."""
    names = set(bundle.contents("console"))
    assert {
        "Dockerfile", "requirements.txt", "feeds/accounts.yaml", "deploy/topology.py", "deploy/topology.yaml",
        "dropmerge/__init__.py", "dropmerge/page/google.py", "dropmerge/page/static/vendor/htmx.js",
        "dropmerge/operations/connection.py", "dropmerge/operations/queries/audit.sql",
        "services/shared/tables/journal.json", "services/merge/statement.py", "services/ingest/inspect_head.py",
    } <= names  # fmt: skip
    allowed = ("Dockerfile", "requirements.txt", "feeds/", "deploy/", "dropmerge/page/", "dropmerge/operations/")
    rest = {name for name in names if not name.startswith((*allowed, "services/"))}
    assert rest == {"dropmerge/__init__.py"}
    assert {name for name in names if name.startswith("deploy/")} == {
        f"deploy/{name}" for name in ("__init__.py", "costs.py", "topology.py", "topology.yaml")
    }
    assert not any(name.endswith((".pyc", ".tf")) for name in names)
    own = ROOT / "deploy" / "google" / "console"
    assert bundle.contents("console")["requirements.txt"] == (own / "requirements.txt").read_bytes()
    assert bundle.contents("console")["Dockerfile"] == (own / "Dockerfile").read_bytes()


def test_the_same_page_gives_the_same_bytes(tmp_path: Path) -> None:
    """The image's name is made of them."""
    for name in ("a.zip", "b.zip"):
        bundle.write("console", tmp_path / name)
    assert image.image_of("p", "r", tmp_path / "a.zip") == image.image_of("p", "r", tmp_path / "b.zip")


GIVEN = ["plan", "console", "--project", "my-project", "--region", "europe-west1"]


def test_who_may_is_a_list_of_terraform_s() -> None:
    given = command._parser().parse_args(
        [*GIVEN, "--console-viewers", "group:all@example.com,user:ada@example.com", "--console-operators", ""]
    )
    assert dict(command._target(given).variables) == {
        "console_viewers": '["group:all@example.com", "user:ada@example.com"]'
    }


@pytest.mark.parametrize(
    "members", ["allUsers", "allAuthenticatedUsers", "ada@example.com", "user:ada", "user:a@example.com user:b@x.com"]
)
def test_nobody_is_let_in_by_a_slip(members: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command._parser().parse_args([*GIVEN, "--console-operators", members])
    assert "is not members" in capsys.readouterr().err


def test_who_may_is_the_console_s_to_be_told(capsys: pytest.CaptureFixture[str]) -> None:
    given = ["plan", "merge", *GIVEN[2:], "--console-viewers", "user:ada@example.com"]
    assert command.main(given) == 2
    assert "for the console only" in capsys.readouterr().err
