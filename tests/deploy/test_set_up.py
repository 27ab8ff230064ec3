"""The set-up of the environment: which Python, what is done and what is not, and what becomes of one that was cut off.

Pythons are shell scripts here, that say a version, and take down what `venv` and `pip` were asked for.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.topology import ROOT

FILES = ("requirements-run.txt", "pyproject.toml", "requirements-dev.txt")
RUN = ["venv", "install requirements-run.txt", "install .", "check"]

SAYS_VERSION = """#!/bin/sh
case "$1" in -E) echo {version} ;; *) echo "{name} got $*" ;; esac
"""
DOES_NOT_RUN = """#!/bin/sh
echo 'command not found' >&2
exit 127
"""


@dataclass
class Pythons:
    """A project in a folder with spaces, and a PATH with nothing but what is put there."""

    home: Path
    path: Path = field(init=False)
    project: Path = field(init=False)

    def __post_init__(self) -> None:
        self.path = self.home / "bin"
        self.project = self.home / "a project"
        (self.project / "toolchain").mkdir(parents=True)
        self.path.mkdir()
        shutil.copy(ROOT / "toolchain" / "set-up.sh", self.project / "toolchain")
        shutil.copy(ROOT / "Makefile", self.project)

    def put(self, name: str, version: str | None, folder: Path | None = None) -> Path:
        """A Python of this version; None: a pyenv shim of one that is not chosen."""
        file = (folder or self.path) / name
        file.write_text(SAYS_VERSION.format(version=version, name=name) if version else DOES_NOT_RUN)
        file.chmod(0o755)
        return file

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        command = ["/bin/sh", "toolchain/set-up.sh", "run", *words]
        return subprocess.run(
            command, cwd=self.project, env={"PATH": str(self.path)}, capture_output=True, text=True, check=False
        )

    def handed_to(self, name: str) -> str:
        return f"{name} got -I {self.project}/toolchain/set_up.py run\n"


@pytest.fixture
def pythons(tmp_path: Path) -> Pythons:
    return Pythons(tmp_path)


def test_the_first_python_that_runs_and_is_new_enough_is_taken(pythons: Pythons) -> None:
    """The order is 3.11, 3.12, 3.13, python3; a shim that does not run is passed over."""
    pythons.put("python", "2.7.18")
    pythons.put("python3", "3.13.0")
    assert pythons.run().stdout == pythons.handed_to("python3")
    pythons.put("python3.13", "3.13.0")
    assert pythons.run().stdout == pythons.handed_to("python3.13")
    pythons.put("python3.11", None)
    pythons.put("python3.12", "3.12.1")
    assert pythons.run().stdout == pythons.handed_to("python3.12")
    pythons.put("python3.11", "3.11.7")
    assert pythons.run().stdout == pythons.handed_to("python3.11")


def test_an_environment_keeps_its_python_until_another_is_asked_for(pythons: Pythons) -> None:
    """An environment whose Python no longer runs has nothing to keep."""
    pythons.put("python3.11", "3.11.7")
    other = pythons.put("python3.13", "3.13.0")
    environment = pythons.project / ".venv" / "bin"
    environment.mkdir(parents=True)
    pythons.put("python", "3.12.1", environment)
    assert pythons.run().stdout == pythons.handed_to("python")
    assert pythons.run(other).stdout == pythons.handed_to("python3.13")
    pythons.put("python", None, environment)
    assert pythons.run().stdout == pythons.handed_to("python3.11")


def test_without_a_python_that_will_do_each_is_named(pythons: Pythons) -> None:
    """The message says which Pythons were tried and what to do."""
    pythons.put("python3.12", None)
    pythons.put("python3", "3.9.18")
    pythons.put("python", "2.7.18")
    ran = pythons.run()
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        "This needs Python 3.11 or newer, and there is none on the PATH.\n"
        "python3 is Python 3.9.18.\n"
        "python is Python 2.7.18.\n"
        "Install one, or name one that is elsewhere: make demo PYTHON=/path/to/python3.12\n"
    )


def test_without_any_python_it_says_so(pythons: Pythons) -> None:
    """The set-up is a shell script, so that it can say this."""
    ran = pythons.run()
    assert ran.returncode == 2
    assert ran.stderr.startswith("This needs Python 3.11 or newer, and there is none on the PATH.\nInstall one")


@pytest.mark.parametrize("version", ["2.7.18", "3.10.13", None])
def test_a_python_that_is_asked_for_and_will_not_do_is_refused_by_name(pythons: Pythons, version: str | None) -> None:
    """A Python given to make is refused even where another one would do."""
    pythons.put("python3.11", "3.11.7")
    asked = pythons.put("python-asked", version, pythons.home)
    ran = subprocess.run(
        ["make", "demo", f"PYTHON={asked}"], cwd=pythons.project, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    what = f"is Python {version}" if version else "does not run"
    assert f"PYTHON={asked} {what}, and this needs Python 3.11 or newer.\nName one that does" in ran.stderr
    assert "Traceback" not in ran.stderr


# It writes in the log what it was asked for. If that has $FAIL in it it fails, if it has $HANG it waits for a file.
FAKE = """#!/bin/sh
case "$3" in
venv) mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; did=venv ;;
pip) for last; do :; done; case "$*" in *" install "*) did="install $last" ;; *) did=$last ;; esac ;;
esac
echo "$did" >>"$LOG"
case "$did" in *"${FAIL:-nothing}"*) echo "ERROR: no space left" >&2; exit 1 ;; esac
case "$did" in *"${HANG:-nothing}"*) echo $$ >"$LOG.pid.new"; mv "$LOG.pid.new" "$LOG.pid"
    until [ -e "$LOG.go" ]; do sleep 0.05; done ;; esac
"""
DRIVER = """
import sys
from pathlib import Path
from toolchain import set_up
prefix, root, stage = sys.argv[1:]
sys.base_prefix = prefix
set_up.ROOT = Path(root)
sys.exit(set_up.main(stage))
"""


@dataclass
class Project:
    """A project whose set-up is run with a Python that only takes down what it was asked for."""

    home: Path
    root: Path = field(init=False)
    log: Path = field(init=False)
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.root = self.home / "a project"
        self.root.mkdir()
        self.log = self.home / "log"
        for name in FILES:
            (self.root / name).write_text(f"first {name}")

    @property
    def record(self) -> Path:
        return self.root / ".venv" / "set-up.json"

    def python(self, name: str) -> Path:
        prefix = self.home / name
        file = prefix / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(FAKE)
        file.chmod(0o755)
        return prefix

    def start(self, stage: str = "run", python: str = "one", **variables: str) -> subprocess.Popen[str]:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LOG": str(self.log), **variables}
        command = [sys.executable, "-c", DRIVER, str(self.python(python)), str(self.root), stage]
        self.started.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True))
        return self.started[-1]

    def run(self, stage: str = "run", python: str = "one", **variables: str) -> tuple[int, str, list[str]]:
        """Its exit code, what it said, what it did."""
        self.log.unlink(missing_ok=True)
        process = self.start(stage, python, **variables)
        said = process.communicate(timeout=60)[1]
        return process.returncode, said, self.did()

    def did(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def hanging(self) -> int:
        """The process that hangs, once it does."""
        return int(_when(Path(f"{self.log}.pid")).read_text())

    def go_on(self) -> None:
        Path(f"{self.log}.go").touch()


def _when(path: Path) -> Path:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.02)
    return path


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stderr
    return process.stderr.readline()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    yield project
    project.go_on()
    for process in project.started:
        process.kill()
        process.communicate()


def test_the_first_run_says_what_it_does_and_the_second_does_nothing(project: Project) -> None:
    """The second run is silent too, and does not depend on the files' times."""
    code, said, did = project.run()
    assert (code, did) == (0, RUN)
    version = ".".join(map(str, sys.version_info[:3]))
    assert said.startswith(
        f"Setting up .venv with Python {version}: this takes about half a minute and 600 MB, once.\nSet up"
    )
    for name in FILES:
        os.utime(project.root / name)
    assert project.run() == (0, "", [])


def test_what_tests_need_goes_on_top_of_what_running_needs(project: Project) -> None:
    """Afterwards running needs nothing more."""
    project.run("run")
    code, said, did = project.run("dev")
    assert (code, did) == (0, ["install requirements-dev.txt", "check"])
    assert said.startswith(".venv: installing from requirements-dev.txt.\n")
    assert project.run("run") == project.run("dev") == (0, "", [])


@pytest.mark.parametrize("changed", ["requirements-run.txt", "requirements-dev.txt"])
def test_changed_pins_make_the_environment_anew(project: Project, changed: str) -> None:
    """Nothing of the old pins stays in the new environment."""
    project.run("dev")
    (project.root / ".venv" / "old").touch()
    (project.root / changed).write_text("second")
    code, said, did = project.run("dev")
    assert (code, did) == (0, [*RUN[:-1], "install requirements-dev.txt", "check"])
    assert said.startswith(f"{changed} changed: it will be created again.\n")
    assert not (project.root / ".venv" / "old").exists()
    assert project.run("dev") == (0, "", [])


def test_what_only_tests_need_does_not_concern_running(project: Project) -> None:
    """A change of the tests' pins is installed only when tests are run."""
    project.run("dev")
    (project.root / "requirements-dev.txt").write_text("second")
    assert project.run("run") == (0, "", [])
    assert project.run("dev")[2][0] == "venv"


def test_a_changed_project_file_installs_the_project_alone(project: Project) -> None:
    """The packages that tests need are still recorded as installed."""
    project.run("dev")
    (project.root / "pyproject.toml").write_text("second")
    assert project.run("run")[2] == ["install .", "check"]
    assert project.run("dev") == (0, "", [])


def test_another_python_makes_the_environment_anew(project: Project) -> None:
    """The message says that another Python was asked for."""
    project.run()
    code, said, did = project.run(python="other")
    assert (code, did) == (0, RUN)
    assert said.startswith(f".venv was made with another Python, {project.home / 'one'}/bin/python3")
    assert project.run(python="other") == (0, "", [])


def test_a_folder_that_was_moved_makes_the_environment_anew(project: Project) -> None:
    """The environment's scripts hold the folder's name and would no longer run."""
    project.run()
    project.root = project.root.rename(project.home / "moved")
    _, said, did = project.run()
    assert did == RUN
    assert said.startswith(".venv was made in another folder, ")


@pytest.mark.parametrize("failing", ["venv", "install requirements-run.txt", "install .", "check"])
def test_a_step_that_fails_ends_it_and_the_next_run_starts_over(project: Project, failing: str) -> None:
    """Without network, with a wrong hash or on a full disk, the error is in the step's own words."""
    code, said, did = project.run(FAIL=failing)
    assert (code, did) == (1, RUN[: RUN.index(failing) + 1])
    assert "ERROR: no space left\n" in said
    assert said.endswith("the reason is above. The next make starts over.\n")
    code, said, did = project.run()
    assert (code, did) == (0, RUN)
    assert said.startswith(".venv is incomplete: it will be created again.\n")


def test_what_fails_on_top_of_a_whole_environment_leaves_it_whole_no_more(project: Project) -> None:
    """A package may be half installed, so the environment no longer counts as whole."""
    project.run("run")
    assert project.run("dev", FAIL="install requirements-dev.txt")[0] == 1
    assert project.run("run")[2] == RUN


def test_ctrl_c_ends_it_and_the_next_run_starts_over(project: Project) -> None:
    """A terminal sends Ctrl-C to the processes of the set-up as well."""
    process = project.start(HANG="install .")
    child = project.hanging()
    process.send_signal(signal.SIGINT)
    with suppress(ProcessLookupError):  # set_up.py may have ended it
        os.kill(child, signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert said.endswith("Set-up: interrupted. The next make starts over.\n")
    assert project.run()[2] == RUN


def test_a_kill_leaves_no_half_environment_and_nobody_waits_for_the_dead(project: Project) -> None:
    """The next run waits only for what the killed one left running: two would write in the same folder."""
    process = project.start(HANG="install .")
    child = project.hanging()
    process.kill()
    project.log.unlink()
    second = project.start()
    assert first_line(second) == "Another make is setting up .venv: waiting for it.\n"
    assert project.did() == []
    os.kill(child, signal.SIGKILL)
    second.communicate(timeout=60)
    assert (second.returncode, project.did()) == (0, RUN)


def test_of_two_at_once_one_does_the_work_and_the_other_waits(project: Project) -> None:
    """Both end with the environment in place."""
    first = project.start(HANG="install .")
    project.hanging()
    second = project.start()
    assert first_line(second) == "Another make is setting up .venv: waiting for it.\n"
    project.go_on()
    said = second.communicate(timeout=60)[1]
    first.communicate(timeout=60)
    assert (first.returncode, second.returncode, said) == (0, 0, "")
    assert project.did() == RUN


@pytest.mark.skipif(shutil.which("ps") is None, reason="without ps nothing can be seen to run")
def test_an_environment_in_use_is_not_taken_away(project: Project) -> None:
    """The message says which process uses it and what to do; nothing is lost."""
    project.run()
    program = project.root / ".venv" / "bin" / "sleep"
    program.symlink_to(str(shutil.which("sleep")))
    with subprocess.Popen([program, "600"]) as running:
        code, said, did = project.run(python="other")
        running.kill()
    assert (code, did) == (1, [])
    assert f"but process {running.pid} runs in it: {program} 600\nStop it first" in said
    assert program.exists()
    assert json.loads(project.record.read_text())["Python"].startswith(str(project.home / "one"))
    assert project.run() == (0, "", [])
    assert project.run(python="other")[2] == RUN
