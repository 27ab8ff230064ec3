"""Makes a virtual environment that holds what requirements files pin: `set-up.sh` calls this before each make target.

The environment has a record of what it was made from: the Python, the folder, each file's content. The record is
deleted before anything changes and written last: an environment without one was interrupted, and is made anew. So is
one whose Python or pins changed. So it holds all that its files pin and nothing else.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = "pyproject.toml"


class SetUpError(Exception):
    """There is no environment; the message says why and what to do."""


@dataclass(frozen=True)
class Stage:
    """An environment's name, what is installed in it, in this order, and roughly what that takes."""

    environment: str
    files: tuple[str, ...]
    takes: str

    @property
    def folder(self) -> Path:
        return ROOT / self.environment

    @property
    def record(self) -> Path:
        return self.folder / "set-up.json"


def _rival(name: str, takes: str) -> Stage:
    """What the benchmark compares with has an environment of its own."""
    return Stage(f".venv-bench-{name}", (f"tests/programs/bench/rivals/{name}/requirements.txt",), takes)


STAGES = {
    "run": Stage(".venv", ("requirements-run.txt", PROJECT), "half a minute and 600 MB"),
    "dev": Stage(".venv", ("requirements-run.txt", PROJECT, "requirements-dev.txt"), "a minute and 850 MB"),
    "checkov": Stage(".venv-checkov", ("requirements-checkov.txt",), "half a minute and 300 MB"),
    "bench": Stage(".venv-bench", ("requirements-bench.txt",), "ten seconds and 150 MB"),
    "dlt": _rival("dlt", "half a minute and 400 MB"),
    "duckdb_alone": _rival("duckdb_alone", "ten seconds and 100 MB"),
    "pandas_function": _rival("pandas_function", "half a minute and 350 MB"),
}


def current(stage: Stage) -> dict[str, str]:
    """What an environment made now would be made from."""
    files = {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in stage.files}
    return {"Python": str(_python()), "folder": str(stage.folder), **files}


def recorded(stage: Stage) -> dict[str, str] | None:
    """What its environment was made from; None when there is none or it is incomplete."""
    try:
        record: dict[str, str] = json.loads(stage.record.read_text())
    except (OSError, ValueError):
        return None
    return record


def assess(stage: Stage) -> tuple[str | None, list[str]]:
    """Why the environment has to be created again, None if it can stay; and the files to install."""
    now, record = current(stage), recorded(stage)
    if record is None:
        return f"{stage.environment} is incomplete" if stage.folder.exists() else "", list(stage.files)
    for what, made in (("Python", "with another Python"), ("folder", "in another folder")):
        if record.get(what) != now[what]:
            return f"{stage.environment} was made {made}, {record.get(what)}", list(stage.files)
    for name in stage.files:
        if name != PROJECT and record.get(name, now[name]) != now[name]:
            return f"{name} changed", list(stage.files)
    return None, [name for name in stage.files if record.get(name) != now[name]]


def set_up(stage: Stage) -> None:
    """Bring the stage's environment up to date, and print what is done.

    Raises:
        SetUpError: the environment cannot be made.
    """
    if assess(stage) == (None, []):
        return
    with _lock(stage) as lock:
        why, files = assess(stage)  # another make may have done it meanwhile
        if not files:
            return
        start, anew, record = time.monotonic(), why is not None, current(stage)
        if anew:
            if why:
                _refuse_if_used(stage, why)
                _say(f"{why}: it will be created again.")
            version = ".".join(map(str, sys.version_info[:3]))
            _say(f"Setting up {stage.environment} with Python {version}: this takes about {stage.takes}, once.")
        else:
            _say(f"{stage.environment}: installing from {' and '.join(files)}.")
            record = (recorded(stage) or {}) | record
        stage.record.unlink(missing_ok=True)
        if anew:
            shutil.rmtree(stage.folder, ignore_errors=True)
            _run(
                lock,
                "The virtual environment could not be created",
                str(_python()),
                "-I",
                "-m",
                "venv",
                str(stage.folder),
            )
        for name in files:
            what = ["--no-build-isolation", "--editable", "."] if name == PROJECT else ["--require-hashes", "-r", name]
            _pip(lock, stage, f"pip could not install from {name}", "install", "-qq", "--no-deps", *what)
        _pip(lock, stage, "The installed packages do not fit together", "check")
        _write(stage.record, record)
        _say(f"Set up in {time.monotonic() - start:.0f} s.")


def _python() -> Path:
    """The Python that environments are made from, also when one of them runs this."""
    return Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"


@contextmanager
def _lock(stage: Stage) -> Iterator[int]:
    """One set-up of an environment at a time, in any process. The kernel frees the lock when they end."""
    with (ROOT / f"{stage.environment}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"Another make is setting up {stage.environment}: waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def _refuse_if_used(stage: Stage, why: str) -> None:
    """Refuses to replace an environment that a process runs in."""
    try:
        listing = subprocess.run(["ps", "-A", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return
    for pid, _, command in (line.strip().partition(" ") for line in listing.splitlines()):
        if command.startswith(f"{stage.folder}/bin/") and int(pid) != os.getpid():
            raise SetUpError(
                f"{why}, but process {pid} runs in it: {command[:200]}\n"
                f"Stop it first; a local cloud stops with {stage.environment}/bin/dropmerge down."
            )


def _pip(lock: int, stage: Stage, failure: str, command: str, *options: str) -> None:
    pip = [str(stage.folder / "bin" / "python"), "-I", "-m", "pip", "--disable-pip-version-check", "--no-input"]
    _run(lock, failure, *pip, command, *options)


def _run(lock: int, failure: str, *command: str) -> None:
    # A child keeps the lock when this is killed before it.
    ran = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, pass_fds=[lock], check=False
    )
    if ran.returncode:
        sys.stderr.write(ran.stdout)
        raise SetUpError(f"{failure}: the reason is above. The next make starts over.")


def _write(path: Path, record: dict[str, str]) -> None:
    whole = path.with_suffix(".new")
    whole.write_text(json.dumps(record, indent=1))
    whole.replace(path)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(stage: str) -> int:
    try:
        set_up(STAGES[stage])
    except (SetUpError, OSError) as error:
        _say(f"Set-up: {error}")
        return 1
    except KeyboardInterrupt:
        _say("Set-up: interrupted. The next make starts over.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
