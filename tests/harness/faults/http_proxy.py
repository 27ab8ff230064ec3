"""A proxy before BigQuery or Cloud Storage, which injects a script's faults and knows job ids as BigQuery does."""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import urlsplit

from tests.harness.faults.calls import Call, Error, Fault, Script

_HOP = {"connection", "transfer-encoding", "content-length", "host", "keep-alive", "date", "server"}


class Jobs:
    """A job id is taken for ever, and a failed job can be asked about: the local warehouse knows neither.

    A warehouse that was killed has forgotten its jobs. BigQuery never does: what it does not know was never accepted.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._under_way: set[str] = set()
        self._failed: dict[str, tuple[Any, Error]] = {}
        self._lock = threading.Lock()

    def take(self, job_id: str) -> bool:
        with self._lock:
            is_new = job_id not in self._taken
            if is_new:
                self._taken.add(job_id)
                self._under_way.add(job_id)
            return is_new

    def end(self, job_id: str, is_accepted: bool) -> None:
        """Of the call that starts it."""
        with self._lock:
            self._under_way.discard(job_id)
            if not is_accepted:
                self._taken.discard(job_id)

    def unknown(self, job_id: str) -> None:
        """Take note that the warehouse does not know this job."""
        with self._lock:
            if job_id not in self._under_way:
                self._taken.discard(job_id)

    def fail(self, job: Any, error: Error) -> None:
        with self._lock:
            self._failed[job["jobReference"]["jobId"]] = (job, error)

    def failed(self, job_id: str | None) -> tuple[Any, Error] | None:
        with self._lock:
            return self._failed.get(job_id or "")


@dataclass(frozen=True)
class Answer:
    """What the client is answered."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    @classmethod
    def of_error(cls, error: Error) -> Answer:
        return cls(error.status, [("content-type", "application/json")], error.body())

    @classmethod
    def of_job(cls, job: Any, error: Error) -> Answer:
        """A job that was accepted and has failed."""
        result = {"reason": error.reason, "message": error.message}
        value = {
            "kind": "bigquery#job",
            "jobReference": {"location": "US", **job["jobReference"]},
            "configuration": job["configuration"],
            "status": {"state": "DONE", "errorResult": result, "errors": [result]},
            "statistics": {"creationTime": "0", "startTime": "0", "endTime": "0"},
        }
        return cls(200, [("content-type", "application/json")], json.dumps(value).encode())


class HttpProxy(ThreadingHTTPServer):
    """Listens on a port of 127.0.0.1 until `close`. `upstream` is asked at each call: parts may be restarted."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        api: Literal["bigquery", "storage"],
        script: Script,
        upstream: Callable[[], str],
        location: str | None = None,
    ) -> None:
        """`location`: where BigQuery's datasets are said to be; jobs that name another place do not find them."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api, self.script, self.upstream, self.jobs, self.location = api, script, upstream, Jobs(), location
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def close(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """A client that a test has killed is no error."""

    def answer(self, call: Call, fault: Fault | None, headers: Mapping[str, str]) -> Answer:
        """The answer to a call that this fault, if any, happens to."""
        if fault is None or fault.lose_answer or fault.truncate or fault.slow:
            given = self._elsewhere(call) or self._known(call) or self._located(call, self._forward(call, headers))
            return Answer.of_error(fault.answer) if fault and fault.lose_answer and fault.answer else given
        if fault.fail_job and call.job:
            self.jobs.take(call.job_id or "")
            self.jobs.fail(call.job, fault.fail_job)
            self.jobs.end(call.job_id or "", is_accepted=True)
            return Answer.of_job(call.job, fault.fail_job)
        return Answer.of_error(fault.answer or fault.fail_job or Error(500, "internalError"))

    def _elsewhere(self, call: Call) -> Answer | None:
        """BigQuery's answer to a statement in a place where the dataset is not."""
        if self.location and call.sql and call.location != self.location:
            text = f"Not found: Dataset local:ops was not found in location {call.location}"
            return Answer.of_error(Error(404, "notFound", text))
        return None

    def _located(self, call: Call, answer: Answer) -> Answer:
        if self.location and call.method == "GET" and re.search(r"/datasets/\w+(\?|$)", call.path):
            found = {**json.loads(answer.body), "location": self.location}
            return Answer(answer.status, answer.headers, json.dumps(found).encode())
        return answer

    def _known(self, call: Call) -> Answer | None:
        """BigQuery's answers about job ids that the local warehouse does not give."""
        if call.job and not self.jobs.take(call.job_id or ""):
            return Answer.of_error(Error(409, "duplicate", f"Already Exists: Job {call.job_id}"))
        failed = self.jobs.failed(call.job_id)
        if failed is None or call.job:
            return None
        job, error = failed
        return Answer.of_error(error) if "/queries/" in call.path else Answer.of_job(job, error)

    def _forward(self, call: Call, headers: Mapping[str, str]) -> Answer:
        is_accepted = False
        try:
            answer = _ask(urlsplit(self.upstream()).netloc, call, headers)
            is_accepted = True
            if call.job_id and not call.job and answer.status == 404:
                self.jobs.unknown(call.job_id)
            if call.job and answer.status >= 400:
                self.jobs.fail(call.job, _read_error(answer.status, answer.body))
            return answer
        except (OSError, http.client.HTTPException) as error:
            return Answer.of_error(Error(503, "backendError", str(error)))
        finally:
            if call.job_id and call.job:
                self.jobs.end(call.job_id, is_accepted)


class _Handler(BaseHTTPRequestHandler):
    """One client's connection."""

    protocol_version = "HTTP/1.1"
    # Else the body of an answer waits 40 ms for the client to acknowledge its headers.
    disable_nagle_algorithm = True
    server: HttpProxy

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        call = Call(self.server.api, self.command, self.path, body)
        fault = self.server.script.fault_for(call)
        answer = self.server.answer(call, fault, dict(self.headers.items()))
        self.server.script.answered(call, len(answer.body))
        if fault and fault.slow:
            time.sleep(fault.slow)
        if fault and fault.act:
            fault.act()
        if fault and ((fault.lose_answer and not fault.answer) or fault.reset or fault.act):
            self.close_connection = True
        else:
            self._send(answer, is_truncated=bool(fault and fault.truncate))

    def _send(self, answer: Answer, is_truncated: bool) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers:
            if name.lower() not in _HOP:
                self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[: len(answer.body) // 2] if is_truncated else answer.body)
        self.close_connection = is_truncated

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _handle

    def log_message(self, *_: object) -> None:
        """Requests are in the script, not on the screen."""


def _ask(behind: str, call: Call, headers: Mapping[str, str]) -> Answer:
    """The answer of the part behind the proxy."""
    connection = http.client.HTTPConnection(behind, timeout=300)
    try:
        passed = {name: value for name, value in headers.items() if name.lower() not in ("host", "connection")}
        connection.request(call.method, call.path, call.body or None, passed)
        answer = connection.getresponse()
        data = answer.read()
        if "json" in (answer.getheader("content-type") or ""):
            # Links in it, such as an object's mediaLink, lead through the proxy as well.
            (host,) = [value for name, value in headers.items() if name.lower() == "host"]
            data = data.replace(behind.encode(), host.encode())
        return Answer(answer.status, answer.getheaders(), data)
    finally:
        connection.close()


def _read_error(status: int, data: bytes) -> Error:
    try:
        error = json.loads(data)["error"]
        return Error(status, error["errors"][0]["reason"], error["message"])
    except (ValueError, KeyError, IndexError, TypeError):
        return Error(status, "invalid", data[:200].decode(errors="replace"))
