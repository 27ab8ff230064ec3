"""HTTP to Google, or to the local cloud, that says within seconds when nobody answers.

Google's clients repeat what finds nobody there for one to two minutes, and wait as long for an answer, without a word.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import partial
from typing import Any

import requests
from google.auth.transport.requests import AuthorizedSession
from urllib3.exceptions import NewConnectionError

from dropmerge.operations.no_answer import Api, NoAnswer

_PATIENCE_SECONDS = 5.0
"""What passes before anything is said. A local part that is started again needs less."""
_LOOK_SECONDS = 2.0
_OUTAGE_SECONDS = 30.0
"""How long to look for Google, which comes back on its own."""
_LEAST_SECONDS = 2.0
"""What each request may take, also when the command's time is over: `wait --timeout 0` looks once."""
_LARGE_BYTES = 1_000_000


class Session(AuthorizedSession):
    """Requests to one API. `ends_at`, by time.monotonic(), is when the command's own time is over."""

    def __init__(self, credentials: Any, api: Api, ends_at: float, say: Callable[[str], None]) -> None:
        super().__init__(credentials)  # type: ignore[no-untyped-call]
        self._api = api
        self._ends_at = ends_at
        self._tell = say
        self._has_said = False

    def request(self, *args: Any, **options: Any) -> Any:
        """The response. Raises NoAnswer when nobody is there, or who is there neither answers nor works."""
        send = partial(super().request, *args, **options)
        started = time.monotonic()
        while True:
            try:
                return self._await(send, options.get("data"))
            except requests.ConnectionError as error:
                why = _refused(error)
                if why is None:
                    raise
                self._look_again(started, why)

    def _look_again(self, started: float, why: str) -> None:
        now = time.monotonic()
        most = _PATIENCE_SECONDS if self._api.is_local else _OUTAGE_SECONDS
        if now > min(started + most, self._ends_at):
            raise NoAnswer(self._api, why)
        if now > started + _PATIENCE_SECONDS:
            self._say(f"{NoAnswer(self._api, why).headline}; still trying")
        time.sleep(0.2)

    def _await(self, send: Callable[[], Any], data: Any) -> Any:
        answer: Future[Any] = Future()
        threading.Thread(target=_send_into, args=(send, answer), daemon=True).start()
        started, patience = time.monotonic(), _PATIENCE_SECONDS
        ends_at = max(self._ends_at, started + _LEAST_SECONDS)
        while not wait([answer], min(patience, max(0.0, ends_at - time.monotonic()))).done:
            seconds = time.monotonic() - started
            if time.monotonic() >= ends_at:
                raise NoAnswer(self._api, f"no answer for {seconds:.0f} s, and the time is up")
            self._judge(answer, seconds, data)
            patience = _LOOK_SECONDS
        return answer.result()

    def _judge(self, answer: Future[Any], seconds: float, data: Any) -> None:
        """Whether to wait on. A local part can be seen to work; of Google we know nothing."""
        if self._api.pid:
            from localcloud.processes import is_working

            works = is_working(self._api.pid, _LOOK_SECONDS, answer.done)
            if answer.done():
                return
            if not works:
                raise NoAnswer(self._api, f"no answer for {seconds + _LOOK_SECONDS:.0f} s, and it is not working")
            self._say(f"the {self._api.part} is busy: no answer for {seconds:.0f} s; still waiting")
        elif not _is_large(data):
            self._say(f"{self._api.name} is slow: no answer for {seconds:.0f} s; still waiting")

    def _say(self, text: str) -> None:
        if not self._has_said:
            self._tell(text)
            self._has_said = True


def _send_into(send: Callable[[], Any], answer: Future[Any]) -> None:
    try:
        answer.set_result(send())
    except BaseException as error:
        answer.set_exception(error)


def _is_large(data: Any) -> bool:
    """Of an upload, which is answered once all of it has arrived. That it takes long says nothing of the server."""
    return len(data) > _LARGE_BYTES if isinstance(data, (bytes, str)) else data is not None


def _refused(error: requests.ConnectionError) -> str | None:
    """Why no connection came about; None where one did, and the request may have been carried out."""
    if isinstance(error, requests.ConnectTimeout):
        return "no connection in time"
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if not isinstance(reason, NewConnectionError):
        return None
    return re.sub(r"^\[Errno -?\d+\] ", "", str(reason).rpartition(": ")[2]).lower()
