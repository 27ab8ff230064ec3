"""Plan, deploy and destroy run terraform in the right steps; a program in its place records how it is called."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

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
    monkeypatch.setattr(preflight, "check", lambda root, project: [])
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
    assert {"plan", "-var=project=my-project", "-var=region=europe-west1", f"-var=bundle={zipped}"} <= set(plan)
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
    _, plan, apply = calls(terraform)
    assert "-destroy" in plan
    assert apply[-1].endswith("ingest.tfplan")


def test_variables_are_those_that_the_root_declares(terraform: Path) -> None:
    """Terraform refuses a variable that it does not know, and asks for one it was not given."""
    for root in rollout.ROOTS:
        target = rollout.Target(
            root, "p", "r", (("alert_email", "e"), ("runbook", "b")) if root == "foundation" else ()
        )
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


@pytest.mark.parametrize("action", ["plan", "deploy", "destroy"])
@pytest.mark.parametrize("root", rollout.ROOTS)
def test_make_has_a_target_for_each(action: str, root: str) -> None:
    """Each target of make runs the command of that name."""
    made = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", f"{action}-{root}",
         "PROJECT=my-project", "REGION=europe-west1", "YES=1"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    last = made.stdout.replace("\\\n", " ").strip().splitlines()[-1]
    wanted = ["-m", "deploy.google", action, root, "--project", "my-project", "--region", "europe-west1", "--yes"]
    assert shlex.split(last)[1:] == wanted


@pytest.mark.parametrize("page", ["README.md", "deploy/google/README.md"])
def test_the_make_lines_of_the_docs_are_targets(page: str) -> None:
    """Each line can be typed as it stands in the docs."""
    text = (ROOT / page).read_text()
    lines = [line.split() for line in re.findall(r"^    (make (?:deploy|plan|destroy)-.+)$", text, re.MULTILINE)]
    assert [line[1] for line in lines] == ["deploy-foundation", "deploy-merge", "deploy-ingest"]
    for line in lines:
        subprocess.run([line[0], "--dry-run", *line[1:]], cwd=ROOT, capture_output=True, check=True)
