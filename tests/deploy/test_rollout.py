"""Plan, deploy and destroy run terraform in the right steps; a program in its place records how it is called."""

from __future__ import annotations

import http.server
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from deploy.google import __main__ as command
from deploy.google import preflight, rollout
from deploy.topology import ROOT
from localcloud import parts, ports, ready
from tests.deploy import hcl


@pytest.fixture
def terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns the file with one line per call, its words ended by tabs. `plan` fails if TERRAFORM_FAILS is set."""
    log = tmp_path / "calls"
    program = tmp_path / "bin" / "terraform"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\n{{ printf "%s\\t" "$@"; echo; }} >> {shlex.quote(str(log))}\ntest "$2" != "$TERRAFORM_FAILS"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(preflight, "check", lambda root, project, location: preflight.Report([], "12345"))
    monkeypatch.setattr(sys, "stdin", open(os.devnull))  # noqa: SIM115 - nobody to ask
    return log


def calls(log: Path) -> list[list[str]]:
    return [line.split("\t")[:-1] for line in log.read_text().splitlines()] if log.exists() else []


def run(action: str, root: str, *more: str) -> int:
    return command.main([action, root, "--project", "my-project", "--region", "europe-west1", *more])


@pytest.mark.parametrize("service", ["ingest", "merge"])
def test_deploy_bundles_plans_and_applies_that_plan(terraform: Path, service: str) -> None:
    """Deploy uses the root's own state and touches nothing but that root."""
    assert run("deploy", service, "--yes") == 0
    init, plan, apply = calls(terraform)
    folder = f"-chdir={ROOT / 'deploy' / 'google' / service}"
    assert [call[0] for call in (init, plan, apply)] == [folder] * 3
    assert {"init", "-backend-config=bucket=my-project-dropmerge-state", f"-backend-config=prefix={service}"} <= set(
        init
    )
    zipped, planned = ROOT / "build" / f"{service}.zip", ROOT / "build" / f"{service}.tfplan"
    variables = {"-var=project=my-project", "-var=project_number=12345", "-var=region=europe-west1"}
    assert {"plan", *variables, f"-var=bundle={zipped}"} <= set(plan)
    assert zipped.exists()
    assert f"-out={planned}" in plan
    assert apply[1:] == ["apply", "-input=false", str(planned)]


def test_plan_applies_nothing(terraform: Path) -> None:
    """Plan changes nothing, and so it asks nothing."""
    assert run("plan", "merge") == 0
    assert [call[1] for call in calls(terraform)] == ["init", "plan"]


def test_nothing_is_applied_where_nobody_can_be_asked(terraform: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal, deploy refuses unless it was agreed to beforehand."""
    assert run("deploy", "merge") == 1
    assert "apply" not in [call[1] for call in calls(terraform)]
    assert "YES=1" in capsys.readouterr().err


def test_a_failed_step_is_the_last(
    terraform: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No step follows one that failed, and the error names it."""
    monkeypatch.setenv("TERRAFORM_FAILS", "plan")
    assert run("deploy", "merge", "--yes") == 1
    assert [call[1] for call in calls(terraform)] == ["init", "plan"]
    assert "plan failed with exit code 1" in capsys.readouterr().err


def test_destroy_says_what_is_lost_first(terraform: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After that, destroy plans the destruction and applies that plan."""
    assert run("destroy", "ingest", "--yes") == 0
    out = capsys.readouterr().out
    assert out.index("Notifications that are still waiting are lost") < out.index("»")
    init, plan, apply = calls(terraform)
    assert "-destroy" in plan
    assert apply[-1].endswith("ingest.tfplan")
    assert {call[0] for call in (init, plan, apply)} == {f"-chdir={ROOT}/build/destroy/deploy/google/ingest"}


def test_only_what_destroys_may_destroy_a_subscription(terraform: Path) -> None:
    """It works on a copy of the roots, which has all that they read, and in which nothing else is different."""
    assert run("destroy", "merge", "--yes") == 0
    copy = ROOT / "build" / "destroy"
    protected = {
        (resource.folder, resource.name)
        for resource in hcl.resources()
        if resource.body.get("lifecycle", [{}])[0].get("prevent_destroy")
    }
    assert protected == {(folder, name) for folder, names in rollout._PROTECTED.items() for name in names}
    assert protected == {(r.folder, r.name) for r in hcl.resources("google_pubsub_subscription")}
    for folder in hcl.FOLDERS:
        there = copy / "deploy" / "google" / folder
        for path in hcl.path_of(folder).glob("*.tf"):
            assert (there / path.name).read_text() == path.read_text()
            for name in re.findall(r'"\$\{path\.module\}/([^"$]+)', path.read_text()):
                assert (there / name).resolve().exists(), name
        overrides = list(there.glob("*_override.tf"))
        assert len(overrides) == (folder in rollout._PROTECTED)
        for one in overrides:
            released = hcl2.loads(one.read_text())["resource"]
            assert all("prevent_destroy" in str(resource) for resource in released)
    assert not list((ROOT / "deploy").rglob("*_override.tf"))


@pytest.mark.skipif(not shutil.which("terraform"), reason="terraform is not installed")
def test_terraform_obeys_the_copy_and_the_protection(tmp_path: Path) -> None:
    """Terraform itself, on a resource that needs no cloud: with its type's name in place of the subscription's."""
    subscription = 'resource "terraform_data" "push" {\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n'
    (tmp_path / "main.tf").write_text(subscription)
    applied = [["init"], ["apply", "-auto-approve"], ["destroy", "-auto-approve"]]
    results = [_real_terraform(tmp_path, *words) for words in applied]
    assert [one.returncode for one in results] == [0, 0, 1]
    assert "Instance cannot be destroyed" in results[-1].stderr
    released = rollout._UNPROTECTED.format(name="push").replace("google_pubsub_subscription", "terraform_data")
    (tmp_path / "destroy_override.tf").write_text(released)
    assert _real_terraform(tmp_path, "destroy", "-auto-approve").returncode == 0


def _real_terraform(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = ["terraform", f"-chdir={folder}", *words, "-no-color"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_options_are_variables_of_terraform() -> None:
    """Lists as Terraform reads them on its command line."""
    key = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"
    options = [
        "--kms-key",
        key,
        "--dataset-location",
        "europe-west1",
        "--message-regions",
        "europe-west1,europe-west4",
    ]
    given = command._parser().parse_args(
        ["plan", "foundation", "--project", "my-project", "--region", "europe-west1", *options]
    )
    target = command._target(given)
    assert dict(target.variables) == {
        "kms_key": key,
        "dataset_location": "europe-west1",
        "message_regions": '["europe-west1", "europe-west4"]',
    }


def test_variables_are_those_that_the_root_declares(terraform: Path) -> None:
    """Terraform refuses a variable that it does not know, and asks for one it was not given."""
    for root in rollout.ROOTS:
        only_its = {
            "foundation": (("alert_email", "e"), ("runbook", "b"), ("message_regions", "[]")),
            "merge": (("merge_reservation", "m"),),
            "console": (("console_viewers", "[]"), ("console_operators", "[]")),
        }
        every = (("kms_key", "k"), ("dataset_location", "l"), *only_its.get(root, ()))
        target = rollout.Target(root, "p", "r", every)
        (plan,) = [s.words for s in rollout.steps("plan", target, lambda: True) if " plan " in s.words]
        given = {part.split("=")[1] for part in shlex.split(plan) if part.startswith("-var=")}
        assert given == set(hcl.blocks(root, "variable"))


@pytest.fixture
def bucket_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The local cloud's bucket server, in memory: kept on disk it knows no versioning."""
    port = ports.choose(0)["bucket"]
    url = f"http://127.0.0.1:{port}"
    flags = ["-scheme", "http", "-backend", "memory", "-host", "127.0.0.1", "-port", str(port), "-external-url", url]
    server = subprocess.Popen([parts._bucket_binary(), *flags, "-log-level", "error"])
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
    deadline = time.monotonic() + 120
    while not ready.answers(f"{url}/storage/v1/b?project=local", "127.0.0.1", port):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield url
    server.terminate()
    server.wait(timeout=60)


def test_the_foundation_keeps_its_state_in_a_versioned_bucket(
    terraform: Path, bucket_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bucket is created once; one that exists is left as it is."""
    assert run("deploy", "foundation", "--yes") == 0
    assert run("plan", "foundation") == 0
    assert [call[1] for call in calls(terraform)] == ["init", "plan", "apply", "output", "init", "plan"]
    assert "create gs://my-project-dropmerge-state" in capsys.readouterr().out
    client = storage.Client("local", AnonymousCredentials(), client_options={"api_endpoint": bucket_server})  # type: ignore[no-untyped-call]
    assert client.get_bucket("my-project-dropmerge-state").versioning_enabled is True


def test_the_state_is_encrypted_with_the_key_that_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """An organization that asks for keys refuses a bucket without one."""
    asked: list[dict[str, Any]] = []

    class Google(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            return

    with http.server.HTTPServer(("127.0.0.1", 0), Google) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
        for variables in ((("kms_key", "k"),), ()):
            rollout.create_state_bucket(rollout.Target("foundation", "my-project", "europe-west1", variables))
        server.shutdown()
    assert [one.get("encryption", {}).get("defaultKmsKeyName") for one in asked] == ["k", None]


@pytest.mark.parametrize("action", ["plan", "deploy", "destroy"])
@pytest.mark.parametrize("root", rollout.ROOTS)
def test_make_has_a_target_for_each(action: str, root: str) -> None:
    """Each target of make runs the command of that name."""
    made = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", f"{action}-{root}",
         "PROJECT=my-project", "REGION=europe-west1", "YES=1", "KMS_KEY=k", "DATASET_LOCATION=EU",
         "MESSAGE_REGIONS=r", "ALERT_EMAIL=a", "RUNBOOK=b", "CONSOLE_VIEWERS=v", "CONSOLE_OPERATORS=o"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    last = made.stdout.replace("\\\n", " ").strip().splitlines()[-1]
    wanted = ["-m", "deploy.google", action, root, "--project", "my-project", "--region", "europe-west1", "--yes"]
    wanted += ["--kms-key", "k", "--dataset-location", "EU", "--message-regions", "r"]
    wanted += ["--console-viewers", "v", "--console-operators", "o", "--alert-email", "a", "--runbook", "b"]
    assert shlex.split(last)[1:] == wanted


@pytest.mark.parametrize(("page", "more"), [("README.md", []), ("deploy/google/README.md", ["deploy-console"])])
def test_the_make_lines_of_the_docs_are_targets(page: str, more: list[str]) -> None:
    """Each line can be typed as it stands in the docs."""
    text = (ROOT / page).read_text()
    lines = [line.split() for line in re.findall(r"^    (make (?:deploy|plan|destroy)-.+)$", text, re.MULTILINE)]
    assert [line[1] for line in lines] == ["deploy-foundation", "deploy-merge", "deploy-ingest", *more]
    for line in lines:
        subprocess.run([line[0], "--dry-run", *line[1:]], cwd=ROOT, capture_output=True, check=True)
