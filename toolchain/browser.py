"""Chromium for the tests in a browser: `make test` calls this before pytest.

A browser that is there is taken. Where there is none, root on Debian gets its package. Otherwise one sentence says
what to install, and make goes on: the tests in a browser are skipped, with the same sentence as the reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
"""What it is called on the PATH, the first one that runs being taken."""
TAKES = "a minute or two and 500 MB"
_INSTALL = Path(__file__).with_name("install-chromium.sh")


def find(environ: Mapping[str, str] = os.environ) -> str | None:
    """The browser that CHROMIUM names or, if it names none, the first on the PATH. None if it does not run."""
    asked = environ.get("CHROMIUM")
    found = (shutil.which(name, path=environ.get("PATH")) for name in ((asked,) if asked else NAMES))
    return next((os.path.abspath(path) for path in found if path and _runs(path, environ)), None)


def missing(environ: Mapping[str, str] = os.environ) -> str:
    """The sentence for whoever has no browser."""
    asked = environ.get("CHROMIUM")
    what = f"CHROMIUM={asked} does not run" if asked else "there is none on the PATH"
    return (
        f"The tests in a browser need Chromium, and {what}: install it (on Debian: apt-get install chromium), "
        "or name one that is elsewhere: make test CHROMIUM=/path/to/chromium"
    )


def set_up(environ: Mapping[str, str], *, root: bool) -> str | None:
    """The browser, installed if there was none and this may install one. None if there is none after all."""
    browser = find(environ)
    apt = shutil.which("apt-get", path=environ.get("PATH"))
    # One that was asked for and does not run is not replaced by another: the tests would be of the wrong browser.
    if browser or environ.get("CHROMIUM") or not (apt and root):
        return browser
    _say(f"Installing Chromium with apt-get for the tests in a browser: this takes about {TAKES}, once.")
    start = time.monotonic()
    if not _install(environ):
        return None
    _say(f"Installed in {time.monotonic() - start:.0f} s.")
    return find(environ)


def _install(environ: Mapping[str, str]) -> bool:
    """Whether apt-get could. If not, what it said is printed."""
    ran = subprocess.run(
        ["/bin/sh", str(_INSTALL)],
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if ran.returncode:
        sys.stderr.write(ran.stdout)
    return ran.returncode == 0


def _runs(path: str, environ: Mapping[str, str]) -> bool:
    """Whether it does more than to be there: Ubuntu's command only says which snap to install."""
    command, quiet = [path, "--version"], subprocess.DEVNULL
    try:
        ran = subprocess.run(
            command, env=dict(environ), stdin=quiet, stdout=quiet, stderr=quiet, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return ran.returncode == 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    """A missing browser stops no test but those in a browser: this never fails."""
    if set_up(os.environ, root=os.geteuid() == 0) is None:
        _say(missing())
    return 0


if __name__ == "__main__":
    sys.exit(main())
