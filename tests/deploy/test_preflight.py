"""What is missing is named before anything is begun."""

from __future__ import annotations

import http.server
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import requests
import yaml

from deploy.google import __main__ as command
from deploy.google import preflight, rollout

REQUIREMENTS = yaml.safe_load(preflight.REQUIREMENTS.read_text())


@dataclass
class Google:
    """As much of three of Google's APIs as the preflight asks, with answers shaped as documented."""

    url: str = ""
    apis: set[str] = field(default_factory=lambda: set(REQUIREMENTS["apis"]))
    permissions: set[str] = field(
        default_factory=lambda: {p for those in REQUIREMENTS["permissions"].values() for p in those}
    )
    buckets: set[str] = field(default_factory=lambda: {"my-project-bundles"})
    refusal: tuple[int, str] | None = None

    def answer(self, path: str, query: list[str], body: bytes) -> tuple[int, dict[str, Any]]:
        if self.refusal:
            return self.refusal[0], {"error": {"message": self.refusal[1]}}
        if path == "/v1/projects/my-project/services:batchGet":
            states = {name: name.rpartition("/")[2] in self.apis for name in query}
            return 200, {
                "services": [{"name": name, "state": "ENABLED" if on else "DISABLED"} for name, on in states.items()]
            }
        if path == "/v1/projects/my-project:testIamPermissions":
            held = [p for p in json.loads(body)["permissions"] if p in self.permissions]
            return 200, {"permissions": held} if held else {}
        if path.startswith("/storage/v1/b/") and path.rpartition("/")[2] in self.buckets:
            return 200, {}
        return 404, {"error": {"message": "not here"}}

    def project(self) -> preflight.Project:
        return preflight.Project(requests.Session(), "my-project", preflight.Endpoints(self.url, self.url, self.url))


@pytest.fixture
def google() -> Iterator[Google]:
    own = Google()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            names = [unquote(part.partition("=")[2]) for part in query.split("&")]
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, answer = own.answer(path, names, body)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    own.url = f"http://127.0.0.1:{server.server_port}"
    yield own
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("root", rollout.ROOTS)
def test_a_project_that_has_all_lacks_nothing(google: Google, root: str) -> None:
    """The check of either root finds nothing missing."""
    assert preflight.check_project(root, google.project()) == []


def test_a_missing_api_is_named_with_its_remedy(google: Google) -> None:
    """A service's root needs the API, and the remedy is the foundation, which enables it."""
    google.apis.remove("pubsub.googleapis.com")
    assert preflight.check_project("foundation", google.project()) == []
    (fault,) = preflight.check_project("ingest", google.project())
    assert "gcloud services enable pubsub.googleapis.com --project my-project" in fault


def test_missing_permissions_are_named(google: Google) -> None:
    """Every missing permission is named, also when none is held."""
    google.permissions.remove("run.services.setIamPolicy")
    (fault,) = preflight.check_project("merge", google.project())
    assert "run.services.setIamPolicy" in fault
    google.permissions.clear()
    faults = " ".join(preflight.check_project("foundation", google.project()))
    assert all(permission in faults for permission in REQUIREMENTS["permissions"]["foundation"])


def test_a_service_without_its_foundation_is_told_so(google: Google) -> None:
    """The error has the command that creates the foundation."""
    google.buckets.clear()
    (fault,) = preflight.check_project("merge", google.project())
    assert "make deploy-foundation PROJECT=my-project" in fault


def test_a_project_that_cannot_be_asked_is_said_in_google_s_words(google: Google) -> None:
    """The error for a project that does not exist is Google's."""
    google.refusal = (403, "Project 'my-project' not found or permission denied.")
    (fault,) = preflight.check_project("ingest", google.project())
    assert "403" in fault
    assert "not found or permission denied" in fault


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No program on the PATH, no credentials at home; returns the folder that is the PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    return programs


def test_a_bare_machine_is_told_all_it_lacks(bare: Path) -> None:
    """Terraform, credentials, and the program that gets them are all named at once."""
    faults = preflight.check("foundation", "my-project")
    assert [fault.partition(":")[0] for fault in faults] == [
        "terraform is not on the PATH",
        "no usable Google credentials",
    ]
    assert "gcloud is not on the PATH" in faults[1]


@pytest.mark.parametrize(
    ("says", "words"),
    [('{"terraform_version": "1.8.5"}', "1.8.5 is too old"), ("no JSON", "does not print its version")],
)
def test_an_old_terraform_is_refused(bare: Path, says: str, words: str) -> None:
    """A version that is too old, or that cannot be understood, is refused."""
    program = bare / "terraform"
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    assert words in preflight.check("ingest", "my-project")[0]


def test_the_command_says_what_it_would_do_and_does_nothing(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where something is missing, the command lists its steps and runs none."""
    given = ["deploy", "ingest", "--project", "my-project", "--region", "europe-west1", "--yes"]
    assert command.main(given) == 2
    out, err = capsys.readouterr()
    assert "deploy ingest in project my-project, region europe-west1:" in out
    assert re.search("terraform '?-chdir=", out)
    assert "»" not in out
    assert err.startswith("cannot start:")


@pytest.mark.parametrize(
    ("project", "region"), [("My Project", "europe-west1"), ("my-project", "europe"), ("a;b", "eu-west1"), ("", "")]
)
def test_what_is_no_project_or_region_is_refused(
    project: str, region: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A malformed name is refused before it reaches a command line."""
    with pytest.raises(SystemExit):
        command.main(["plan", "merge", "--project", project, "--region", region])
    assert "is not a" in capsys.readouterr().err
