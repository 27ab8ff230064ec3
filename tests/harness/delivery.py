"""One delivery given to a handler, without a cloud."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from services.shared import logs
from services.shared.delivery import Handler, handle
from services.shared.settings import Settings


class _NoPublisher:
    """For deliveries that publish nothing: a call fails."""


class _NoJournal:
    """For deliveries of which no event is recorded: a call fails."""


def deliver(
    handler: Handler, capsys: pytest.CaptureFixture[str], attributes: Mapping[str, str]
) -> tuple[int, dict[str, Any]]:
    """Give a message with these attributes to the handler; returns the HTTP status and the one log line."""
    message = {"data": base64.b64encode(b"{}").decode(), "attributes": attributes, "messageId": "7"}
    settings = Settings(
        GOOGLE_CLOUD_PROJECT="my-project", service="merge", feeds=Path("feeds"), dead_letter_topic="merge-dead-letter"
    )  # type: ignore[call-arg]  # the rest has defaults
    logs.set_up()
    body = json.dumps({"message": message}).encode()
    _, status = handle(body, handler, settings, _NoPublisher(), _NoJournal())  # type: ignore[arg-type]
    (line,) = capsys.readouterr().out.splitlines()
    return status, json.loads(line)
