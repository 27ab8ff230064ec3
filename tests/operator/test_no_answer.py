"""When a part is dead, silent or slow, every command says which, in time, and what still works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
from google.auth.credentials import AnonymousCredentials

from deploy.topology import ROOT
from dropmerge.operations import session as session_module
from dropmerge.operations.loads.find_file import find_file
from dropmerge.operations.no_answer import BIGQUERY, STORAGE, Api, NoAnswer
from dropmerge.operations.session import Session
from dropmerge.operations.status.failures import stuck
from localcloud.processes import is_working
from tests.harness.cloud import running
from tests.harness.commands import Commands
from tests.harness.dead_letters import ours, put, wait_for_the_table
from tests.harness.pipeline import HEADER, Pipeline, row

# Google's clients alone would be silent for 60 s and more.
_IN_TIME = 45.0


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    with running(tmp_path_factory.mktemp("no-answer"), ROOT / "deploy" / "feeds") as pipeline:
        pipeline.drop("x.csv", HEADER + row("x"))
        pipeline.wait_until_idle()
        yield pipeline


@pytest.fixture
def whole(pipeline: Pipeline) -> Iterator[Pipeline]:
    """Whatever a test ended is started again."""
    yield pipeline
    pipeline.cloud.up()
    pipeline.connect()


def _line(*words: object) -> list[str]:
    return [sys.executable, "-m", "dropmerge", *map(str, words)]


def _run_all(lines: list[str]) -> dict[str, tuple[int, str]]:
    """Exit code and standard error of commands that run at the same time."""
    started = {
        line: subprocess.Popen(
            _line(*line.split(" ")), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True,
        )
        for line in lines
    }  # fmt: skip
    ended = {}
    for line, process in started.items():
        try:
            ended[line] = process.communicate(timeout=_IN_TIME)[1]
        finally:
            process.kill()
    return {line: (started[line].returncode, text) for line, text in ended.items()}


def _pid(part: str) -> int:
    return int(os.environ[f"DROPMERGE_{part.upper()}_PID"])


def _kill(service: str) -> None:
    """Its worker too, which goes on for a moment without its parent."""
    process = psutil.Process(_pid(service))
    for one in [*process.children(recursive=True), process]:
        one.kill()


_ASK_THE_WAREHOUSE = ["status", "wait", "explain gs://landing/incoming/accounts/x.csv", "rejected"]


def test_a_dead_warehouse_is_named_with_what_still_works(whole: Pipeline) -> None:
    waits = put(whole, ours("incoming/accounts/waits.csv"))
    wait_for_the_table(whole)
    os.kill(_pid("warehouse"), signal.SIGKILL)
    problem, letters = Commands.of(whole).json("status", "--check", code=1)["problems"]
    assert (problem["what"], letters["what"]) == ("no_answer", "dead_letters")
    assert "the warehouse of the local cloud does not answer" in problem["sentence"]
    ended = _run_all([*_ASK_THE_WAREHOUSE, "dead-letters list"])
    code, said = ended.pop("dead-letters list")
    assert (code, said.count("\n")) == (0, 1)
    assert "whether newer files are merged is not known: the warehouse" in said
    assert [dead_letter.id for dead_letter in whole.dead_letters()] == [waits]
    for code, said in ended.values():
        assert code == 1
        address = os.environ["DROPMERGE_WAREHOUSE_URL"].removeprefix("http://")
        assert f"the warehouse of the local cloud does not answer ({address}: connection refused)" in said
        assert "still working: bucket, bus" in said
        assert "run `dropmerge up` to start it again" in said
        assert "Traceback" not in said
    assert (
        "known all the same: 1 file in gs://landing, 0 messages in flight, 1 dead letter waiting" in ended["status"][1]
    )


def test_a_dead_service_is_why_its_files_wait(whole: Pipeline) -> None:
    """Status says which, how its pushes fail, and when the next is due; the check ends with 1, and 0 afterwards."""
    commands = Commands.of(whole)
    commands.run("dead-letters", "discard", "--all", "--why", "of another test", "--yes")
    wait_for_the_table(whole)
    assert commands.json("status", "--check")["ok"]
    _kill("merge")
    uri = whole.drop("stuck.csv", HEADER + row("stuck"))
    _until(lambda: commands.json("status")["services"]["merge"]["failed_pushes"].get("unreachable", 0) > 1, "pushes")
    answer = commands.json("status")
    feed, merge = answer["feeds"]["accounts"], answer["services"]["merge"]
    assert (feed["state"], feed["staged"], feed["in_flight"]) == ("STUCK", 1, 1)
    assert (merge["state"], merge["answers"], merge["waiting"]) == ("DOWN", False, 1)
    (problem,) = commands.json("status", "--check", code=1)["problems"]
    assert problem["sentence"].startswith("merge does not answer (connection refused): the last ")
    assert "pushes failed (unreachable); 1 message is waiting, the oldest for " in problem["sentence"]
    assert "Pub/Sub tries again within " in problem["sentence"]
    assert problem["command"] == "dropmerge up --detach"
    assert stuck(whole.connection, find_file(whole.connection, uri)).service_health.state == "DOWN"
    whole.cloud.up()
    whole.connect()
    whole.wait_until_idle()
    assert commands.json("status")["services"]["merge"]["state"] == "OK"
    assert "OK: " in commands.run("status", "--check").stdout
    whole.connection.storage.bucket("landing").blob("incoming/accounts/stuck.csv").delete()


def test_a_dead_bucket_or_bus_is_named(whole: Pipeline) -> None:
    os.kill(_pid("bucket"), signal.SIGKILL)
    os.kill(_pid("bus"), signal.SIGKILL)
    ended = _run_all(["status", "drop README.md --to gs://landing/x", "dead-letters list"])
    for line, part in zip(ended, ("bucket", "bucket", "bus"), strict=True):
        code, said = ended[line]
        assert code == 1
        assert f"the {part} of the local cloud does not answer (127.0.0.1:" in said
        assert "still working: warehouse\n" in said
        assert f"not answering either: {'bus' if part == 'bucket' else 'bucket'}" in said


def test_a_warehouse_that_hangs_is_named_and_a_time_limit_is_kept(whole: Pipeline) -> None:
    """The warehouse accepts connections and does nothing: `wait` ends by its own limit or before."""
    os.kill(_pid("warehouse"), signal.SIGSTOP)
    try:
        drop = "drop README.md --to gs://landing/elsewhere/x --wait --timeout 1"
        ended = _run_all(["status", "rejected", "wait --timeout 1", drop])
    finally:
        os.kill(_pid("warehouse"), signal.SIGCONT)
    for code, said in ended.values():
        assert code == 1, ended
        assert "the warehouse of the local cloud does not answer (127.0.0.1:" in said
    assert "and it is not working" in ended["status"][1]
    assert f"its process, {_pid('warehouse')}, is still running: run `dropmerge down`" in ended["status"][1]
    assert "and the time is up" in ended["wait --timeout 1"][1]


@contextmanager
def _watching(screen: Path) -> Iterator[None]:
    """`status --watch`, whose output goes to a file. It ends with Ctrl-C, exit code 0 and no traceback."""
    with screen.open("wb") as output:
        environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
        watch = subprocess.Popen(_line("status", "--watch"), cwd=ROOT, env=environ, stdout=output, stderr=output)
    try:
        yield
        watch.send_signal(signal.SIGINT)
        assert watch.wait(_IN_TIME) == 0
    finally:
        watch.kill()
    assert "Traceback" not in screen.read_text()


def test_watch_lives_through_an_outage_and_marks_what_is_old(whole: Pipeline, tmp_path: Path) -> None:
    screen = tmp_path / "screen"
    with _watching(screen):
        _until(lambda: "as of" in screen.read_text(), "a first screen")
        os.kill(_pid("warehouse"), signal.SIGKILL)
        _until(lambda: "the figures below are old, of " in screen.read_text(), "a word on the outage")
        assert "the warehouse of the local cloud does not answer" in screen.read_text()
        whole.cloud.up()
        seen = len(screen.read_text())
        _until(lambda: "as of" in screen.read_text()[seen:].rpartition("old, of")[2].partition("as of")[2], "figures")


def test_watch_that_begins_in_an_outage_waits_for_its_end(whole: Pipeline, tmp_path: Path) -> None:
    os.kill(_pid("warehouse"), signal.SIGKILL)
    screen = tmp_path / "screen"
    with _watching(screen):
        _until(lambda: "no figures yet" in screen.read_text(), "a word on the outage")
        whole.cloud.up()
        _until(lambda: "as of" in screen.read_text(), "a first screen")


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 2 * _IN_TIME
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)


# What follows needs no local cloud.


class _Slow(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.set()  # type: ignore[attr-defined]
        self.server.may_answer.wait(_IN_TIME)  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def _slow_server(port: int = 0) -> Iterator[ThreadingHTTPServer]:
    """A server that answers when it may."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _Slow)
    server.asked, server.may_answer = threading.Event(), threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.may_answer.set()  # type: ignore[attr-defined]
        server.shutdown()
        server.server_close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Says something at once; nothing here is a part of a local cloud, so that it may be Google."""
    monkeypatch.setattr(session_module, "_PATIENCE_SECONDS", 0.2)
    monkeypatch.setattr(session_module, "_LOOK_SECONDS", 0.2)
    for part in ("WAREHOUSE", "BUCKET"):
        monkeypatch.delenv(f"DROPMERGE_{part}_URL", raising=False)
        monkeypatch.delenv(f"DROPMERGE_{part}_PID", raising=False)


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _session(api: Api) -> Session:
    return Session(AnonymousCredentials(), api, float("inf"), _say)  # type: ignore[no-untyped-call]


@contextmanager
def _answered_once_said(
    server: ThreadingHTTPServer, words: str, capsys: pytest.CaptureFixture[str]
) -> Iterator[list[str]]:
    """The server answers once these words are on standard error, of which this gives the pieces."""
    said: list[str] = []

    def answer() -> None:
        while words not in "".join(said):
            said.append(capsys.readouterr().err)
            time.sleep(0.02)
        server.may_answer.set()  # type: ignore[attr-defined]

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield said
    thread.join()


@pytest.mark.usefixtures("impatient")
def test_google_being_slow_is_said_and_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    with _slow_server() as server, _answered_once_said(server, "is slow", capsys) as said:
        response = _session(BIGQUERY).get(f"http://127.0.0.1:{server.server_address[1]}/")
    assert response.status_code == 204
    assert "BigQuery is slow: no answer for" in "".join(said)


@pytest.mark.usefixtures("impatient")
def test_google_out_of_reach_is_said_and_looked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with _slow_server() as server:
        port = server.server_address[1]
    said: list[str] = []

    def serve_when_said() -> None:
        while "still trying" not in "".join(said):
            said.append(capsys.readouterr().err)
            time.sleep(0.02)
        with _slow_server(port) as again:
            again.may_answer.set()  # type: ignore[attr-defined]
            assert again.asked.wait(_IN_TIME)  # type: ignore[attr-defined]

    thread = threading.Thread(target=serve_when_said, daemon=True)
    thread.start()
    session = _session(STORAGE)
    assert session.get(f"http://127.0.0.1:{port}/").status_code == 204
    thread.join()
    assert "Cloud Storage does not answer (" in "".join(said)


@pytest.mark.usefixtures("impatient")
def test_google_out_of_reach_for_long_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "_OUTAGE_SECONDS", 0.5)
    with _slow_server() as server:
        port = server.server_address[1]
    with pytest.raises(NoAnswer, match="Is this machine online"):
        _session(STORAGE).get(f"http://127.0.0.1:{port}/")


@pytest.mark.usefixtures("impatient")
def test_a_local_part_that_is_busy_is_waited_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that uses the processor and does not answer is running a long statement."""
    with _slow_server() as server, _spinning() as process:
        port = server.server_address[1]
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("DROPMERGE_WAREHOUSE_URL", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("DROPMERGE_WAREHOUSE_PID", str(process.pid))
        with _answered_once_said(server, "is busy", capsys):
            assert _session(BIGQUERY).get(f"http://127.0.0.1:{port}/").status_code == 204


@pytest.mark.usefixtures("impatient")
def test_a_local_part_that_answers_while_it_is_looked_at_has_answered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It rests from then on, as one that is stuck does."""
    monkeypatch.setattr(session_module, "_LOOK_SECONDS", 10.0)
    with _slow_server() as server, _resting() as process:

        def looked_at(*look: Any) -> bool:
            server.may_answer.set()  # type: ignore[attr-defined]
            return is_working(*look)

        monkeypatch.setattr("localcloud.processes.is_working", looked_at)
        port = server.server_address[1]
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("DROPMERGE_BUCKET_URL", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("DROPMERGE_BUCKET_PID", str(process.pid))
        assert _session(STORAGE).get(f"http://127.0.0.1:{port}/").status_code == 204
    assert capsys.readouterr().err == ""


@contextmanager
def _resting() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


def _never() -> bool:
    return False


@contextmanager
def _spinning() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        _until(lambda: sum(psutil.Process(process.pid).cpu_times()[:2]) > 0.1, "a busy process")
        yield process
    finally:
        process.kill()
        process.wait()


_WAITS = """
import os, sys, threading
opens = (os.POSIX_SPAWN_OPEN, 3, sys.argv[1], os.O_RDONLY, 0)
threading.Thread(target=os.posix_spawn, args=("/bin/true", ["true"], {}), kwargs={"file_actions": [opens]}).start()
"""
"""As a process waits for a disk, in a thread that is not its first: for the one that it starts, which opens a pipe."""


def test_a_process_waits_for_a_disk_in_any_of_its_threads(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    process = subprocess.Popen([sys.executable, "-c", _WAITS, str(pipe)])
    try:
        of_threads = [psutil.STATUS_SLEEPING, psutil.STATUS_DISK_SLEEP]
        _until(lambda: _statuses(process.pid) == of_threads, "its first thread asleep, the other in wait for the pipe")
        assert is_working(process.pid, 0.3, _never)
        pipe.write_bytes(b"")
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()


def _statuses(pid: int) -> list[str]:
    """Of a process's threads, the first one's first."""
    return [psutil.Process(thread.id).status() for thread in psutil.Process(pid).threads()]


def test_a_process_at_work_is_told_from_one_that_is_not() -> None:
    with _spinning() as process:
        assert is_working(process.pid, 1.0, _never)
        process.send_signal(signal.SIGSTOP)
        assert not is_working(process.pid, 0.3, _never)
    assert not is_working(process.pid, 0.1, _never)


@pytest.mark.usefixtures("impatient")
def test_a_command_whose_time_is_over_still_looks_once() -> None:
    """`wait --timeout 0` looks once, however long it took to start."""
    with _slow_server() as server:
        server.may_answer.set()  # type: ignore[attr-defined]
        session = Session(AnonymousCredentials(), STORAGE, time.monotonic() - 10, _say)  # type: ignore[no-untyped-call]
        assert session.get(f"http://127.0.0.1:{server.server_address[1]}/").status_code == 204


def test_wait_names_a_service_that_is_down(whole: Pipeline) -> None:
    _kill("merge")
    whole.drop("y.csv", HEADER + row("y"))
    ((code, said),) = _run_all(["wait --timeout 1"]).values()
    assert code == 1
    assert "merge of the local cloud does not run: `dropmerge up` starts what is missing" in said
