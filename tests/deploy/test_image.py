"""The console's image is built once for each bundle; a server in Google's place answers."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from google.api_core.exceptions import PreconditionFailed

from deploy.google import __main__ as command
from deploy.google import image, preflight, rollout
from deploy.google.image import BuildError, Builds, Image

IMAGE = Image("my-project", "europe-west1", "d" * 64)
TAG = "/v1/projects/my-project/locations/europe-west1/repositories/dropmerge/packages/console/tags/" + IMAGE.digest
BUILDS = "/v1/projects/my-project/locations/europe-west1/builds"


@dataclass
class Google:
    """Artifact Registry and Cloud Build, as far as they are asked."""

    url: str = ""
    has_tag: bool = False
    ends: list[dict[str, Any]] = field(default_factory=lambda: [{"status": "WORKING"}, {"status": "SUCCESS"}])
    refusal: int = 0
    asked: list[str] = field(default_factory=list)
    built: list[Any] = field(default_factory=list)

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        self.asked.append(f"{method} {path}")
        if self.refusal:
            return self.refusal, {"error": {"message": "denied"}}
        if (method, path) == ("GET", TAG):
            return (200, {"name": TAG}) if self.has_tag else (404, {"error": {"message": "no tag"}})
        if (method, path) == ("POST", BUILDS):
            self.built.append(json.loads(body))
            return 200, {"metadata": {"build": {"id": "b1", "status": "QUEUED", "logUrl": "https://log"}}}
        if (method, path) == ("GET", f"{BUILDS}/b1"):
            return 200, {"id": "b1", "logUrl": "https://log", **self.ends.pop(0)}
        return 404, {"error": {"message": "not here"}}

    def builds(self) -> Builds:
        return Builds(requests.Session(), self.url, self.url, 0.0)


@pytest.fixture
def google() -> Iterator[Google]:
    own = Google()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, answer = own.answer(self.command, self.path, body)
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


@dataclass
class Bucket:
    """As much of the bucket's client as an upload needs."""

    kept: dict[str, str] = field(default_factory=dict)
    name: str = ""

    def bucket(self, name: str) -> Bucket:
        return Bucket(self.kept, name)

    def blob(self, name: str) -> Bucket:
        return Bucket(self.kept, f"{self.name}/{name}")

    def upload_from_filename(self, file: str, if_generation_match: int, timeout: float) -> None:
        if self.name in self.kept and if_generation_match == 0:
            raise PreconditionFailed("there is one")  # type: ignore[no-untyped-call]
        self.kept[self.name] = file


def test_an_image_is_built_of_the_bundle_by_the_identity_that_builds(google: Google) -> None:
    """Under the name that Terraform gives to page and job, and only once it is there does the apply go on."""
    bucket = Bucket()
    image.make(IMAGE, Path("console.zip"), google.builds(), bucket)
    assert bucket.kept == {f"my-project-bundles/console/{IMAGE.digest}.zip": "console.zip"}
    (asked,) = google.built
    assert asked["source"] == {"storageSource": {"bucket": "my-project-bundles", "object": IMAGE.source}}
    name = f"europe-west1-docker.pkg.dev/my-project/dropmerge/console:{IMAGE.digest}"
    assert asked["images"] == [name]
    assert asked["steps"] == [{"name": "gcr.io/cloud-builders/docker", "args": ["build", "--tag", name, "."]}]
    account = "projects/my-project/serviceAccounts/dropmerge-build@my-project.iam.gserviceaccount.com"
    assert asked["serviceAccount"] == account
    assert asked["options"] == {"logging": "CLOUD_LOGGING_ONLY"}
    assert google.asked == [f"GET {TAG}", f"POST {BUILDS}", f"GET {BUILDS}/b1", f"GET {BUILDS}/b1"]


def test_an_image_that_is_there_is_not_built_again(google: Google) -> None:
    google.has_tag = True
    bucket = Bucket()
    image.make(IMAGE, Path("console.zip"), google.builds(), bucket)
    assert google.built == []
    assert bucket.kept == {}


def test_a_build_that_failed_is_tried_again_with_the_bundle_that_is_there(google: Google) -> None:
    """The bundle cannot be another: its name is made of its bytes."""
    bucket = Bucket({f"my-project-bundles/console/{IMAGE.digest}.zip": "earlier.zip"})
    image.make(IMAGE, Path("console.zip"), google.builds(), bucket)
    assert len(google.built) == 1
    assert set(bucket.kept.values()) == {"earlier.zip"}


@pytest.mark.parametrize(
    ("end", "why"),
    [
        ({"status": "FAILURE", "statusDetail": "step 0 failed"}, "step 0 failed"),
        ({"status": "TIMEOUT"}, "TIMEOUT"),
        ({"status": "CANCELLED"}, "CANCELLED"),
    ],
)
def test_a_failed_build_is_said_with_its_log(google: Google, end: dict[str, Any], why: str) -> None:
    google.ends = [end]
    with pytest.raises(BuildError, match=f"was not built: {why}; its log is https://log"):
        image.make(IMAGE, Path("console.zip"), google.builds(), Bucket())


def test_a_refusal_is_said_in_google_s_words(google: Google) -> None:
    google.refusal = 403
    with pytest.raises(BuildError, match=r"403 .*denied"):
        image.make(IMAGE, Path("console.zip"), google.builds(), Bucket())
    assert len(google.asked) == 1


def test_nobody_answers() -> None:
    nobody = Builds(requests.Session(), "http://127.0.0.1:1", "http://127.0.0.1:1")
    with pytest.raises(BuildError, match="was not built"):
        image.make(IMAGE, Path("console.zip"), nobody, Bucket())


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What terraform is called for, and when the image is built."""
    log: list[str] = []
    monkeypatch.setattr(preflight, "check", lambda root, project, location: preflight.Report([], "12345"))
    monkeypatch.setattr(
        image, "build", lambda project, region, path: log.append(f"build {project} {region} {path.name}")
    )

    def run(words: list[str]) -> rollout.Step:
        return rollout.Step(" ".join(words), lambda: log.append(words[2]))

    monkeypatch.setattr(rollout, "_command", run)
    return log


GIVEN = ["console", "--project", "my-project", "--region", "europe-west1"]


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("plan", ["init", "plan"]),
        ("deploy", ["init", "plan", "build my-project europe-west1 console.zip", "apply"]),
        ("destroy", ["init", "plan", "apply"]),
    ],
)
def test_it_is_built_between_plan_and_apply(steps: list[str], action: str, expected: list[str]) -> None:
    """A plan changes nothing, and what is destroyed needs no image."""
    assert command.main([action, *GIVEN, "--yes"]) == 0
    assert steps == expected


def test_nothing_is_built_that_nobody_agreed_to(steps: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_confirm", lambda: False)
    assert command.main(["deploy", *GIVEN]) == 1
    assert steps == ["init", "plan"]


def test_without_its_image_nothing_is_applied(
    steps: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise BuildError("step 0 failed")

    monkeypatch.setattr(image, "build", fail)
    assert command.main(["deploy", *GIVEN, "--yes"]) == 1
    assert steps == ["init", "plan"]
    assert "step 0 failed" in capsys.readouterr().err
