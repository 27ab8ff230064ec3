"""Services of different ages run at once: what a released version sent, the present code reads."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.topology import ROOT
from localcloud import environment
from localcloud.cloud import LocalCloud
from services.ingest.notification import read_notification
from services.shared.errors import PermanentError
from services.shared.generation import ObjectGeneration
from services.shared.load import Load
from services.shared.messages.push import PushMessage
from services.shared.messages.staged import StagedMessage

RELEASES = sorted(path for path in (Path(__file__).parent / "messages").iterdir() if path.is_dir())
released = pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)


def pushed(release: Path, name: str) -> dict[str, Any]:
    """A push body as it was recorded."""
    body: dict[str, Any] = json.loads((release / f"{name}.json").read_text(encoding="utf-8"))
    return body


def envelope(body: dict[str, Any]) -> PushMessage:
    return PushMessage.decode(json.dumps(body).encode())


@released
def test_a_recorded_notification_is_read(release: Path) -> None:
    """Every field that ingest needs is decoded."""
    body = pushed(release, "notification")
    payload = json.loads(base64.b64decode(body["message"]["data"]))
    found = read_notification(envelope(body))
    assert (found.event_type, found.source.bucket, found.source.name) == (
        "OBJECT_FINALIZE",
        payload["bucket"],
        payload["name"],
    )
    assert (found.source.generation, found.size) == (int(payload["generation"]), int(payload["size"]))
    assert found.event_time == body["message"]["attributes"]["eventTime"]


@released
def test_a_recorded_staged_message_is_read(release: Path) -> None:
    """The message names the load that its sender meant: the identifier is computed alike."""
    body = pushed(release, "staged")
    load = StagedMessage.decode(envelope(body).data).load
    fields = json.loads(base64.b64decode(body["message"]["data"]))
    assert load == Load(fields["feed"], ObjectGeneration(fields["bucket"], fields["object"], fields["generation"]))
    assert load.load_id == body["message"]["attributes"]["load_id"]


@released
def test_what_a_newer_version_adds_is_ignored(release: Path) -> None:
    """Unknown fields are ignored in the envelope, the attributes and the data."""
    for name in ("notification", "staged"):
        body = pushed(release, name)
        fields = json.loads(base64.b64decode(body["message"]["data"]))
        body["message"]["data"] = base64.b64encode(json.dumps(fields | {"new": {"er": [1]}}).encode()).decode()
        body["message"]["attributes"]["new"] = "er"
        body["message"]["newer"] = body["newest"] = True
        if name == "staged":
            assert StagedMessage.decode(envelope(body).data) == StagedMessage.decode(
                envelope(pushed(release, name)).data
            )
        else:
            assert read_notification(envelope(body)) == read_notification(envelope(pushed(release, name)))


@released
def test_what_is_not_needed_may_be_absent(release: Path) -> None:
    """Attempt, ordering, times, trace and a notification's payload may be left out."""
    staged = pushed(release, "staged")
    del staged["deliveryAttempt"], staged["subscription"], staged["message"]["attributes"]
    assert StagedMessage.decode(envelope(staged).data).load.feed == "accounts"
    assert envelope(staged).attempt == 1
    notification = pushed(release, "notification")
    del notification["message"]["data"], notification["message"]["attributes"]["eventTime"]
    assert read_notification(envelope(notification)).size is None


@released
@pytest.mark.parametrize("field", ["feed", "bucket", "object", "generation"])
def test_what_is_needed_and_absent_is_said(release: Path, field: str) -> None:
    """A missing field is an error that names it; no value is guessed."""
    body = pushed(release, "staged")
    fields = json.loads(base64.b64decode(body["message"]["data"]))
    del fields[field]
    with pytest.raises(PermanentError, match=field) as raised:
        StagedMessage.decode(json.dumps(fields).encode())
    assert raised.value.reason == "malformed_message"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LocalCloud]:
    own = LocalCloud(tmp_path, environ={})
    own.up(0)
    yield own
    own.down()


def test_a_recorded_dead_letter_is_listed_with_its_reason(cloud: LocalCloud) -> None:
    """Today's command lists it from a subscription where it has waited since."""
    variables = {**os.environ, **cloud.read()}
    for release in RELEASES:
        message = pushed(release, "dead_letter")["message"]
        _publish(variables["PUBSUB_EMULATOR_HOST"], message)
        command = [sys.executable, "-m", "dropmerge", "dead-letters", "list", "--json"]
        listed = subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True, check=True)
        (dead_letter,) = json.loads(listed.stdout)
        attributes = message["attributes"]
        for field in ("reason", "error", "service", "feed", "bucket", "object", "dead_lettered_at"):
            assert dead_letter[field] == attributes[f"dropmerge_{field}"]
        assert dead_letter["generation"] == int(attributes["objectGeneration"])
        _discard(variables, dead_letter["id"])


def _publish(bus: str, message: dict[str, Any]) -> None:
    import grpc
    from google.cloud import pubsub_v1
    from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport

    with grpc.insecure_channel(bus, options=[("grpc.enable_http_proxy", 0)]) as channel:
        publisher = pubsub_v1.PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        topic = f"projects/{environment.PROJECT}/topics/ingest-dead-letter"
        data = base64.b64decode(message["data"])
        publisher.publish(topic, data, **message["attributes"]).result(timeout=30)


def _discard(variables: dict[str, str], dead_letter: str) -> None:
    words = ["dead-letters", "discard", "--id", dead_letter, "--why", "read", "--yes"]
    command = [sys.executable, "-m", "dropmerge", *words]
    subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, check=True)
