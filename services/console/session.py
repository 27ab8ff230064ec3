"""HTTP to Google, or to the local cloud, that says within seconds when nobody answers.

Google's clients repeat what finds nobody there for one to two minutes, and wait as long for an answer, without a word.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import partial
from typing import Any

import requests
from google.auth.transport.requests import AuthorizedSession
from urllib3.exceptions import NewConnectionError

from services.console.no_answer import Api, NoAnswer

_REFUSED_SECONDS = 5.0
"""A part that is started again needs about as long."""
_SILENT_SECONDS = 7.0
_LOOK_SECONDS = 2.0
_LARGE_BYTES = 1_000_000


class Session(AuthorizedSession):
    """Requests to one API. `ends_at`, by time.monotonic(), is when the command's own time is over."""

    def __init__(self, credentials: Any, api: Api, ends_at: float) -> None:
        super().__init__(credentials)  # type: ignore[no-untyped-call]
        self._api = api
        self._ends_at = ends_at
        self._has_said = False

    def request(self, *args: Any, **options: Any) -> Any:
        """The response. Raises NoAnswer when nobody is there, or somebody who is not at work stays silent."""
        started = time.monotonic()
        while True:
            try:
                send = partial(super().request, *args, **options)
                return self._await(send, options.get("data"))
            except requests.ConnectionError as error:
                why = _refused(error)
                if why is None:
                    raise
                if time.monotonic() > min(started + _REFUSED_SECONDS, self._ends_at):
                    raise NoAnswer(self._api, why) from error
            time.sleep(0.2)

    def _await(self, call: Callable[[], Any], data: Any) -> Any:
        # An upload is answered once all of it has arrived: that it takes long says nothing of the server.
        is_large = len(data) > _LARGE_BYTES if isinstance(data, (bytes, str)) else data is not None
        answer: Future[Any] = Future()
        threading.Thread(target=_run, args=(call, answer), daemon=True).start()
        started, patience = time.monotonic(), _SILENT_SECONDS
        while not wait([answer], min(patience, max(0.0, self._ends_at - time.monotonic()))).done:
            seconds = time.monotonic() - started
            if time.monotonic() >= self._ends_at:
                raise NoAnswer(self._api, f"no answer for {seconds:.0f} s, and the time is over")
            if not is_large or self._api.pid:
                self._judge(seconds)
            patience = _LOOK_SECONDS
        return answer.result()

    def _judge(self, seconds: float) -> None:
        """Whether it is worth to wait on. A local part is seen to work; of Google we know nothing."""
        if self._api.pid:
            from deploy.local.processes import is_working

            if not is_working(self._api.pid, _LOOK_SECONDS):
                raise NoAnswer(self._api, f"no answer for {seconds + _LOOK_SECONDS:.0f} s, and it is not at work")
        if not self._has_said:
            what = f"the {self._api.part} is busy" if self._api.pid else f"{self._api.name} is slow"
            print(f"{what}: no answer for {seconds:.0f} s ({self._api.address}); still waiting", file=sys.stderr)
            self._has_said = True


def _run(call: Callable[[], Any], answer: Future[Any]) -> None:
    try:
        answer.set_result(call())
    except BaseException as error:
        answer.set_exception(error)


def _refused(error: requests.ConnectionError) -> str | None:
    """Why no connection came about; None where one did, and the request may have been carried out."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(error, requests.ConnectTimeout):
        return "no connection in time"
    if not isinstance(reason, NewConnectionError):
        return None
    return re.sub(r"^\[Errno -?\d+\] ", "", str(reason).rpartition(": ")[2]).lower()
