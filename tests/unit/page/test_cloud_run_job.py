"""A job is started as Cloud Run documents it; a server in Google's place records how it is asked."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import google.auth
import pytest
from google.auth.exceptions import DefaultCredentialsError
from google.oauth2.credentials import Credentials

from dropmerge.operations.errors import NotDone
from dropmerge.page.cloud_run_job import start

JOB = "projects/my-project/locations/europe-west1/jobs/dropmerge-console"


@dataclass
class CloudRun:
    url: str = ""
    status: int = 200
    body: bytes = b'{"name": "projects/p/locations/r/operations/1"}'
    asked: list[tuple[str, str | None, Any]] = field(default_factory=list)
    """Path, Authorization header, body."""


@pytest.fixture
def cloud_run(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudRun]:
    own = CloudRun()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            own.asked.append((self.path, self.headers["Authorization"], json.loads(body)))
            self.send_response(own.status)
            self.end_headers()
            self.wfile.write(own.body)

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    own.url = f"http://127.0.0.1:{server.server_port}"

    def default(scopes: object) -> tuple[Credentials, str]:
        assert scopes == ("https://www.googleapis.com/auth/cloud-platform",)
        return Credentials("a-token"), "my-project"  # type: ignore[no-untyped-call]

    monkeypatch.setattr(google.auth, "default", default)
    yield own
    server.shutdown()
    server.server_close()


def test_it_is_asked_for_one_execution_with_these_arguments(cloud_run: CloudRun) -> None:
    """By who the default credentials are."""
    start(JOB, ["operation-1"], cloud_run.url)
    assert cloud_run.asked == [
        (f"/v2/{JOB}:run", "Bearer a-token", {"overrides": {"containerOverrides": [{"args": ["operation-1"]}]}})
    ]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            403,
            "was not started: 403 Permission 'x' denied on resource; this identity needs "
            "roles/run.jobsExecutorWithOverrides",
        ),
        (404, "was not started: 404 Permission 'x' denied on resource; `make deploy-console` makes it"),
        (429, "was not started: 429 Permission 'x' denied on resource"),
        (503, "may not have been started (503 Permission 'x' denied on resource): look at its executions"),
    ],
)
def test_a_refusal_is_said_in_google_s_words_with_what_to_do(cloud_run: CloudRun, status: int, said: str) -> None:
    """And is not tried again: it may have been started all the same, and would be started twice."""
    cloud_run.status = status
    cloud_run.body = json.dumps({"error": {"message": "Permission 'x' denied on resource"}}).encode()
    with pytest.raises(NotDone) as refused:
        start(JOB, ["operation-1"], cloud_run.url)
    assert f"the job {JOB} {said}" in str(refused.value)
    assert len(cloud_run.asked) == 1


@pytest.mark.parametrize("body", [b"<html>" + b"x" * 10_000, b"[]", b'{"error": "text"}', b"", b"\xff"])
def test_a_refusal_in_other_words_is_quoted_in_short(cloud_run: CloudRun, body: bytes) -> None:
    """What stands between here and Google may answer in its own way."""
    cloud_run.status, cloud_run.body = 502, body
    with pytest.raises(NotDone, match="502") as refused:
        start(JOB, [], cloud_run.url)
    assert len(str(refused.value)) < 500


def test_where_nobody_answers_it_is_not_known_whether_it_was_started(cloud_run: CloudRun) -> None:
    with pytest.raises(NotDone, match="may not have been started"):
        start(JOB, ["operation-1"], "http://127.0.0.1:1")


def test_without_credentials_nothing_is_asked(cloud_run: CloudRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def default(scopes: object) -> None:
        raise DefaultCredentialsError("no credentials here")  # type: ignore[no-untyped-call]

    monkeypatch.setattr(google.auth, "default", default)
    with pytest.raises(NotDone, match="was not started: no credentials here"):
        start(JOB, ["operation-1"], cloud_run.url)
    assert cloud_run.asked == []
