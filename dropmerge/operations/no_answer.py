"""What commands talk to, and what they say when it does not answer: which part, where, what works, what to do."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Api:
    """One of Google's APIs, or the part of the local cloud that stands in for it."""

    name: str
    part: str
    host: str
    variable: str
    """The environment variable that points its client at an emulator: host:port, or a URL."""

    @property
    def emulator(self) -> str | None:
        """A URL; None where Google itself is asked."""
        at = os.environ.get(self.variable)
        return at if not at or "://" in at else f"http://{at}"

    @property
    def address(self) -> str:
        """host:port of the emulator, Google's host otherwise."""
        return urlsplit(self.emulator).netloc if self.emulator else self.host

    @property
    def is_local(self) -> bool:
        """Whether a part of our own local cloud answers for it."""
        return bool(self.emulator and os.environ.get(f"DROPMERGE_{self.part.upper()}_URL"))

    @property
    def pid(self) -> int | None:
        """The process of the local part; one that was started again since this command began has another."""
        text = os.environ.get(f"DROPMERGE_{self.part.upper()}_PID") if self.is_local else None
        return int(text) if text else None


BIGQUERY = Api("BigQuery", "warehouse", "bigquery.googleapis.com", "BIGQUERY_EMULATOR_HOST")
STORAGE = Api("Cloud Storage", "bucket", "storage.googleapis.com", "STORAGE_EMULATOR_HOST")
PUBSUB = Api("Pub/Sub", "bus", "pubsub.googleapis.com", "PUBSUB_EMULATOR_HOST")
MONITORING = Api("Cloud Monitoring", "bus", "monitoring.googleapis.com", "MONITORING_EMULATOR_HOST")
# In this order they are asked when one of them does not answer. The bus is asked over HTTP.
_ASKED = (BIGQUERY, STORAGE, MONITORING)


class NoAnswer(Exception):
    """A part does not answer; the text is for the person at the terminal, on several lines."""

    def __init__(self, api: Api, why: str) -> None:
        super().__init__(api, why)
        self.api = api
        self.why = why

    def __str__(self) -> str:
        """Of a local cloud, the other parts are asked for it."""
        return "\n".join([self.headline, *(_local(self.api) if self.api.is_local else [_REMOTE])])

    @property
    def headline(self) -> str:
        """One line: which part, where, why."""
        what = f"the {self.api.part} of the local cloud" if self.api.is_local else self.api.name
        return f"{what} does not answer ({self.api.address}: {self.why})"


_REMOTE = "Is this machine online? Nothing is lost by trying again; https://status.cloud.google.com lists outages."


def _local(api: Api) -> list[str]:
    others = {other.part: _is_up(other) for other in _ASKED if other.part != api.part and other.is_local}
    lines = [f"still working: {', '.join(part for part, is_up in others.items() if is_up) or 'no other part'}"]
    if not all(others.values()):
        lines.append(f"not answering either: {', '.join(part for part, is_up in others.items() if not is_up)}")
    log = Path(os.environ.get("DROPMERGE_STATE", ".local")) / "logs" / f"{api.part}.log"
    if api.pid and _runs(api.pid):
        lines.append(
            f"its process, {api.pid}, is still running: run `dropmerge down`, then `dropmerge up`; its log is {log}"
        )
    else:
        lines.append(f"run `dropmerge up` to start it again; its log is {log}")
    return lines


def _is_up(api: Api) -> bool:
    from localcloud.ready import answers

    url = urlsplit(api.emulator or "")
    return answers(f"{api.emulator}/", url.hostname or "", url.port or 0)


def _runs(pid: int) -> bool:
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
