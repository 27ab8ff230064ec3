"""A proxy before BigQuery or Cloud Storage, which injects a script's faults and knows job ids as BigQuery does."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
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
        """The warehouse does not know it."""
        with self._lock:
            if job_id not in self._under_way:
                self._taken.discard(job_id)

    def fail(self, job: Any, error: Error) -> None:
        with self._lock:
            self._failed[job["jobReference"]["jobId"]] = (job, error)

    def failed(self, job_id: str | None) -> tuple[Any, Error] | None:
        with self._lock:
            return self._failed.get(job_id or "")


class HttpProxy:
    """Listens on a port of 127.0.0.1 until `close`. `upstream` is asked at each call: parts may be restarted."""

    def __init__(self, api: Literal["bigquery", "storage"], script: Script, upstream: Callable[[], str]) -> None:
        jobs = Jobs()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _handle(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                call = Call(api, self.command, self.path, body)
                fault = script.fault_for(call)
                if fault is None or fault.lose_answer or fault.truncate or fault.slow:
                    status, headers, answer = self._known(call) or self._forward(call)
                else:
                    status, headers, answer = self._injected(call, fault)
                script.answered(call, len(answer))
                if fault and fault.slow:
                    time.sleep(fault.slow)
                if fault and fault.act:
                    fault.act()
                if fault and (fault.lose_answer or fault.reset or fault.act):
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in _HOP:
                        self.send_header(name, value)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer[: len(answer) // 2] if fault and fault.truncate else answer)
                self.close_connection = bool(fault and fault.truncate)

            def _injected(self, call: Call, fault: Fault) -> tuple[int, list[tuple[str, str]], bytes]:
                if fault.fail_job and call.job:
                    jobs.take(call.job_id or "")
                    jobs.fail(call.job, fault.fail_job)
                    jobs.end(call.job_id or "", is_accepted=True)
                    return _json(200, _failed_job(call.job, fault.fail_job))
                error = fault.answer or fault.fail_job or Error(500, "internalError")
                return error.status, [("content-type", "application/json")], error.body()

            def _known(self, call: Call) -> tuple[int, list[tuple[str, str]], bytes] | None:
                """BigQuery's answers about job ids that the local warehouse does not give."""
                if call.job and not jobs.take(call.job_id or ""):
                    error = Error(409, "duplicate", f"Already Exists: Job {call.job_id}")
                    return 409, [("content-type", "application/json")], error.body()
                failed = jobs.failed(call.job_id)
                if failed is None or call.job:
                    return None
                job, error = failed
                if "/queries/" in call.path:
                    return error.status, [("content-type", "application/json")], error.body()
                return _json(200, _failed_job(job, error))

            def _forward(self, call: Call) -> tuple[int, list[tuple[str, str]], bytes]:
                behind = urlsplit(upstream()).netloc
                connection = http.client.HTTPConnection(behind, timeout=300)
                is_accepted = False
                try:
                    headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "connection")}
                    connection.request(call.method, call.path, call.body or None, headers)
                    answer = connection.getresponse()
                    data = answer.read()
                    is_accepted = True
                    if call.job_id and not call.job and answer.status == 404:
                        jobs.unknown(call.job_id)
                    if call.job and answer.status >= 400:
                        jobs.fail(call.job, _read_error(answer.status, data))
                    if "json" in (answer.getheader("content-type") or ""):
                        # Links in it, such as an object's mediaLink, lead through here as well.
                        data = data.replace(behind.encode(), self.headers["host"].encode())
                    return answer.status, answer.getheaders(), data
                except (OSError, http.client.HTTPException) as error:
                    return 503, [("content-type", "application/json")], Error(503, "backendError", str(error)).body()
                finally:
                    if call.job_id and call.job:
                        jobs.end(call.job_id, is_accepted)
                    connection.close()

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _handle

            def log_message(self, *_: object) -> None:
                """Nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                """A client that a test has killed."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _json(status: int, value: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    return status, [("content-type", "application/json")], json.dumps(value).encode()


def _failed_job(job: Any, error: Error) -> Any:
    result = {"reason": error.reason, "message": error.message}
    return {
        "kind": "bigquery#job",
        "jobReference": {"location": "US", **job["jobReference"]},
        "configuration": job["configuration"],
        "status": {"state": "DONE", "errorResult": result, "errors": [result]},
        "statistics": {"creationTime": "0", "startTime": "0", "endTime": "0"},
    }


def _read_error(status: int, data: bytes) -> Error:
    try:
        error = json.loads(data)["error"]
        return Error(status, error["errors"][0]["reason"], error["message"])
    except (ValueError, KeyError, IndexError, TypeError):
        return Error(status, "invalid", data[:200].decode(errors="replace"))
