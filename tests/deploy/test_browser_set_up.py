"""`make test` takes the Chromium that is there, installs Debian's as root, or says in a sentence what to install."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.topology import ROOT
from toolchain import browser

# Each takes down what it was asked for.
CHROMIUM = """#!/bin/sh
echo "{name} $*" >>"$LOG"
exit {code}
"""
# `update` brings the lists. `install` needs them, and the network; what it installs is the browser.
APT = """#!/bin/sh
echo "apt-get $* as $DEBIAN_FRONTEND" >>"$LOG"
case "$1 ${NETWORK:-up}" in
"update up") : >"$LOG.lists" ;;
"install up") [ -e "$LOG.lists" ] || { echo "E: Unable to locate package chromium"; exit 100; }
    read -r typed && exit 1; cp "$LOG.chromium" "$BIN/chromium" ;;
*) echo "E: Temporary failure resolving a name" >&2; exit 100 ;;
esac
"""
INSTALL = (
    "apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 chromium fonts-dejavu-core"
    " as noninteractive"
)
UPDATE = "apt-get update -qq as noninteractive"
SAYS = (
    "Installing Chromium with apt-get for the tests in a browser: this takes about a minute or two and 500 MB, once."
)
NONE = (
    "The tests in a browser need Chromium, and there is none on the PATH: install it (on Debian: apt-get install "
    "chromium), or name one that is elsewhere: make test CHROMIUM=/path/to/chromium"
)
DRIVER = (
    "import os, sys; from toolchain import browser; os.geteuid = lambda: int(sys.argv[1]); sys.exit(browser.main())"
)


@dataclass
class Machine:
    """A PATH with nothing but what is put there."""

    home: Path
    bin: Path = field(init=False)
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.bin = self.home / "a folder"
        self.bin.mkdir()
        self.log = self.home / "log"
        for name in ("cp", "sh"):
            (self.bin / name).symlink_to(str(shutil.which(name)))
        self._script(Path(f"{self.log}.chromium"), CHROMIUM.format(name="installed", code=0))

    def put(self, name: str, code: int = 0, folder: Path | None = None) -> Path:
        """A browser that runs, or ends with this code."""
        return self._script((folder or self.bin) / name, CHROMIUM.format(name=name, code=code))

    def put_apt(self, *, lists: bool) -> None:
        self._script(self.bin / "apt-get", APT)
        if lists:
            Path(f"{self.log}.lists").touch()

    def _script(self, file: Path, text: str) -> Path:
        file.write_text(text)
        file.chmod(0o755)
        return file

    def environ(self, **variables: object) -> dict[str, str]:
        own = {"PATH": str(self.bin), "LOG": str(self.log), "BIN": str(self.bin)}
        return own | {name: str(value) for name, value in variables.items()}

    def find(self, **variables: object) -> str | None:
        return browser.find(self.environ(**variables))

    def run(self, user: int = 0, **variables: object) -> list[str]:
        """What the set-up said; it has ended well. Somebody types, and is not asked."""
        environ = {**self.environ(**variables), "PYTHONPATH": str(ROOT)}
        line = [sys.executable, "-c", DRIVER, str(user)]
        ran = subprocess.run(line, env=environ, input="y\n", capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stdout) == (0, ""), ran.stderr
        return ran.stderr.splitlines()

    def did(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_first_browser_on_the_path_that_runs_is_taken(machine: Machine) -> None:
    """The order is chromium, chromium-browser, google-chrome; a command that does not run is passed over."""
    assert machine.find() is None
    for name in ("google-chrome", "chromium-browser", "chromium"):
        path = machine.put(name)
        assert machine.find() == str(path)
    machine.put("chromium", code=1)
    assert machine.find() == str(machine.bin / "chromium-browser")


def test_a_browser_that_is_there_is_left_as_it_is(machine: Machine) -> None:
    """The set-up says nothing and installs nothing."""
    machine.put("chromium-browser")
    machine.put_apt(lists=True)
    assert machine.run() == []
    assert machine.did() == ["chromium-browser --version"]


def test_the_browser_that_is_asked_for_is_taken(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be elsewhere, be named as on the PATH, or from this folder, which tests may leave."""
    machine.put("chromium")
    mine = machine.put("mine", folder=machine.home)
    assert machine.find(CHROMIUM=mine) == str(mine)
    assert machine.find(CHROMIUM="chromium") == str(machine.bin / "chromium")
    monkeypatch.chdir(machine.home)
    assert machine.find(CHROMIUM="./mine") == str(mine)
    assert machine.find(CHROMIUM="") == str(machine.bin / "chromium")


@pytest.mark.parametrize("code", [1, None])
def test_one_that_is_asked_for_and_does_not_run_is_not_replaced(machine: Machine, code: int | None) -> None:
    """Neither by another that is there nor by one that could be installed; the sentence names it."""
    machine.put("chromium")
    machine.put_apt(lists=True)
    mine = machine.home / "mine" if code is None else machine.put("mine", code, machine.home)
    assert machine.find(CHROMIUM=mine) is None
    assert machine.run(CHROMIUM=mine) == [NONE.replace("there is none on the PATH", f"CHROMIUM={mine} does not run")]
    assert not any("apt-get" in line for line in machine.did())


def test_what_is_no_program_is_not_taken(machine: Machine) -> None:
    """A file may be executable and still be nothing that the machine can run."""
    file = machine.bin / "chromium"
    file.write_bytes(b"\x7fELF but no more")
    file.chmod(0o755)
    assert machine.find() is None


def test_root_on_debian_gets_the_package(machine: Machine) -> None:
    """One line says what is done and how long it takes. apt-get cannot ask anything; the next run does nothing."""
    machine.put_apt(lists=True)
    said = machine.run()
    assert said[0] == SAYS
    assert [re.sub(r"\d+", "N", line) for line in said[1:]] == ["Installed in N s."]
    assert machine.did() == [INSTALL, "installed --version"]
    assert machine.find() == str(machine.bin / "chromium")
    assert machine.run() == []


def test_lists_of_packages_that_are_missing_or_old_are_fetched(machine: Machine) -> None:
    """As in a new container; lists that will do are not fetched again."""
    machine.put_apt(lists=False)
    assert len(machine.run()) == 2
    assert machine.did() == [INSTALL, UPDATE, INSTALL, "installed --version"]


def test_without_network_it_says_why_and_goes_on(machine: Machine) -> None:
    """apt-get's own words come first, then what to do; make does not end."""
    machine.put_apt(lists=False)
    assert machine.run(NETWORK="down") == [SAYS, *["E: Temporary failure resolving a name"] * 2, NONE]


def test_a_package_that_brings_no_browser_that_runs_is_no_browser(machine: Machine) -> None:
    """Elsewhere the package of that name may only say where to get it."""
    machine.put_apt(lists=True)
    Path(f"{machine.log}.chromium").write_text("#!/bin/sh\nexit 1\n")
    assert machine.run()[-1] == NONE


def test_nothing_is_installed_for_who_is_not_root(machine: Machine) -> None:
    """The sentence is all that is said."""
    machine.put_apt(lists=True)
    assert machine.run(user=1000) == [NONE]
    assert machine.did() == []


def test_without_apt_get_the_sentence_is_all_that_is_said(machine: Machine) -> None:
    assert machine.run() == [NONE]


def test_an_apt_get_that_cannot_be_run_ends_nothing(machine: Machine) -> None:
    """Any trouble of the set-up leaves the other tests alone."""
    (machine.bin / "apt-get").write_text("#!/no/such/shell\n")
    (machine.bin / "apt-get").chmod(0o755)
    said = machine.run()
    assert (said[0], said[-1]) == (SAYS, NONE)
    assert "apt-get: " in said[1]


def test_make_test_sets_the_browser_up_before_the_tests() -> None:
    """Its line needs nothing but Python's own library."""
    line = ["make", "--no-print-directory", "--dry-run", "test"]
    made = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [shlex.split(one)[1:3] for one in made[-2:]] == [["-I", "toolchain/browser.py"], ["-m", "pytest"]]


def test_the_own_ci_demands_that_the_tests_in_a_browser_ran() -> None:
    """There they are not skipped."""
    assert (
        "\nexport DROPMERGE_BROWSER_TESTS=required\n" in (ROOT / ".ci" / "run").read_text().partition("make test")[0]
    )
