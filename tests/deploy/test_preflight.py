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
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from deploy.google import __main__ as command
from deploy.google import preflight, rollout
from tests.deploy import hcl

REQUIREMENTS = yaml.safe_load(preflight.REQUIREMENTS.read_text())


@dataclass
class Google:
    """As much of three of Google's APIs as the preflight asks, with answers shaped as documented."""

    url: str = ""
    apis: set[str] = field(default_factory=lambda: set(REQUIREMENTS["apis"]))
    permissions: set[str] = field(default_factory=lambda: {p for root in rollout.ROOTS for p in needed(root)})
    buckets: set[str] = field(default_factory=lambda: {"my-project-bundles"})
    datasets: dict[str, str] = field(default_factory=lambda: {"ops": "europe-west1"})
    refusal: tuple[int, str] | None = None
    payers: set[str | None] = field(default_factory=set)
    """The projects that were billed for requests."""

    def answer(self, path: str, query: list[str], body: bytes) -> tuple[int, dict[str, Any]]:
        if path == "/token":
            return 200, {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"}
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
        if path == "/v1/projects/my-project":
            return 200, {"projectId": "my-project", "projectNumber": "12345"}
        dataset = path.rpartition("/")[2]
        if path.startswith("/bigquery/v2/projects/my-project/datasets/") and dataset in self.datasets:
            return 200, {"location": self.datasets[dataset]}
        if path.startswith("/storage/v1/b/") and path.rpartition("/")[2] in self.buckets:
            return 200, {}
        return 404, {"error": {"message": "not here"}}

    @property
    def endpoints(self) -> preflight.Endpoints:
        return preflight.Endpoints(*[self.url] * 4)

    def faults(self, root: str) -> list[str]:
        project = preflight.Project(requests.Session(), "my-project", self.endpoints)
        return preflight.check_project(root, "europe-west1", project).faults


def needed(root: str) -> list[str]:
    return preflight.permissions(REQUIREMENTS, root)


@pytest.fixture
def google() -> Iterator[Google]:
    own = Google()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            names = [unquote(part.partition("=")[2]) for part in query.split("&")]
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            own.payers.add(self.headers["x-goog-user-project"])
            status, answer = own.answer(path, names, body)
            self.send_response(status)
            self.send_header("content-type", "application/json")
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
    assert google.faults(root) == []


def test_a_missing_api_is_named_with_its_remedy(google: Google) -> None:
    """A service's root needs the API, and the remedy is the foundation, which enables it."""
    google.apis.remove("pubsub.googleapis.com")
    assert google.faults("foundation") == []
    (fault,) = google.faults("ingest")
    assert "gcloud services enable pubsub.googleapis.com --project my-project" in fault


def test_missing_permissions_are_named(google: Google) -> None:
    """Every missing permission is named, also when none is held."""
    google.permissions.remove("run.services.setIamPolicy")
    (fault,) = google.faults("merge")
    assert "run.services.setIamPolicy" in fault
    google.permissions.clear()
    faults = " ".join(google.faults("foundation"))
    assert all(permission in faults for permission in needed("foundation"))


def test_who_deploys_the_console_builds_its_image_too(google: Google) -> None:
    """Which is no resource of Terraform's; nobody else needs what that takes."""
    google.permissions.remove("cloudbuild.builds.create")
    (fault,) = google.faults("console")
    assert "cloudbuild.builds.create" in fault
    assert [google.faults(root) for root in ("foundation", "merge", "ingest")] == [[], [], []]


def test_a_service_without_its_foundation_is_told_so(google: Google) -> None:
    """The error has the command that creates the foundation."""
    google.buckets.clear()
    (fault,) = google.faults("merge")
    assert "make deploy-foundation PROJECT=my-project" in fault


def test_a_project_that_cannot_be_asked_is_said_in_google_s_words(google: Google) -> None:
    """The error for a project that does not exist is Google's."""
    google.refusal = (403, "Project 'my-project' not found or permission denied.")
    (fault,) = google.faults("ingest")
    assert "403" in fault
    assert "not found or permission denied" in fault


def test_datasets_that_are_elsewhere_are_found_before_anything_is_planned(google: Google) -> None:
    """A dataset cannot be moved: without the variable it would be made anew, or be asked for in another place."""
    google.datasets["ops"] = "EU"
    (fault,) = google.faults("merge")
    assert "DATASET_LOCATION=EU" in fault
    google.datasets.clear()
    assert google.faults("foundation") == []


@pytest.mark.parametrize(
    ("folders", "listed"),
    [(["foundation"], "foundation"), (["ingest", "merge", "modules/service"], "service"), (["console"], "console")],
)
def test_there_are_permissions_for_each_type_of_resource(folders: list[str], listed: str) -> None:
    """A type that a root gains would otherwise be refused in the middle of an apply."""
    kinds = {resource.kind for resource in hcl.resources() if resource.folder in folders}
    assert set(REQUIREMENTS["permissions"][listed]) == kinds
    for kind, those in REQUIREMENTS["permissions"][listed].items():
        verbs = {permission.rpartition(".")[2] for permission in those}
        wanted = {"getIamPolicy", "setIamPolicy"} if "_iam_" in kind else {"get", "enable", "attachSubscription"}
        assert verbs & wanted, kind
    # https://cloud.google.com/resource-manager/reference/rest/v1/projects/testIamPermissions
    assert all(len(needed(root)) <= 100 for root in rollout.ROOTS)


@pytest.fixture
def key_of_another_project(google: Google, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials of whom the environment names, and whose tokens the server of the test gives."""
    key = rsa.generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file = tmp_path / "key.json"
    file.write_text(
        json.dumps(
            {
                "type": "service_account",
                "project_id": "elsewhere",
                "private_key": key.decode(),
                "client_email": "someone@elsewhere.iam.gserviceaccount.com",
                "token_uri": f"{google.url}/token",
            }
        )
    )
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))


@pytest.mark.usefixtures("key_of_another_project")
def test_the_project_pays_for_what_is_asked_of_it(google: Google) -> None:
    """Several APIs refuse a person's credentials without a project to bill, which they do not have by themselves."""
    report = preflight.check("merge", "my-project", "europe-west1", google.endpoints)
    assert [fault for fault in report.faults if "terraform" not in fault] == []
    assert report.project_number == "12345"
    assert google.payers == {"my-project", None}, "a token is asked for without one"


def test_a_refusal_for_want_of_a_project_to_bill_has_its_remedy(google: Google) -> None:
    """Google's words name the trouble, and not the command."""
    google.refusal = (403, "Your application is authenticating by using local ADC. The API requires a quota project.")
    (fault,) = google.faults("foundation")
    assert "gcloud auth application-default set-quota-project my-project" in fault


@pytest.mark.parametrize("root", rollout.ROOTS)
def test_terraform_has_the_project_pay_too(root: str) -> None:
    """Both providers do, where a root has two."""
    providers = [one for file in hcl.files(root) for one in file.get("provider", [])]
    assert providers
    for (settings,) in (one.values() for one in providers):
        assert settings["user_project_override"] is True
        assert settings["billing_project"] == "${var.project}"
        assert settings["default_labels"] == {"dropmerge_service": root}


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
    faults = preflight.check("foundation", "my-project", "europe-west1").faults
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
    assert words in preflight.check("ingest", "my-project", "europe-west1").faults[0]


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
    ("option", "value"),
    [
        ("--kms-key", "my-key"),
        ("--dataset-location", "Europe"),
        ("--message-regions", "europe-west1,EU"),
        ("--message-regions", "europe-west1;europe-west4"),
    ],
)
def test_what_is_no_key_or_location_is_refused(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each option says what it takes."""
    with pytest.raises(SystemExit):
        command.main(["plan", "foundation", "--project", "my-project", "--region", "europe-west1", option, value])
    assert f"{value!r} is not " in capsys.readouterr().err


@pytest.mark.parametrize(("where", "location"), [("europe", ""), ("europe-west1", "EU"), ("europe-west4", "")])
def test_a_key_of_another_place_than_what_it_encrypts_is_refused(
    where: str, location: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bucket takes a key of its region, a dataset one of its own location."""
    key = f"projects/p/locations/{where}/keyRings/r/cryptoKeys/k"
    given = ["plan", "merge", "--project", "my-project", "--region", "europe-west1", "--kms-key", key]
    assert command.main([*given, "--dataset-location", location]) == 2
    assert "everything is in one region" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--alert-email", "--runbook", "--message-regions"])
def test_what_is_the_foundation_s_is_refused_for_a_service(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Terraform would refuse it later, as a variable that it does not know."""
    given = ["plan", "merge", "--project", "my-project", "--region", "europe-west1", option, "europe-west1"]
    assert command.main(given) == 2
    assert "for the foundation only" in capsys.readouterr().err


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
