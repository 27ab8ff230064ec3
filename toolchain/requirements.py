"""Requirements that every installer takes: `make requirements`.

uv resolves the `.in` files; pins stay as they are unless an `.in` file says otherwise. A package that others ask for
with extras gets two lines, `name==1.0` and `name[extra]==1.0`, with the same hashes. To pip before 23.3 these are two
projects: checking hashes, it refuses a file that pins one of them as soon as the index has a newer release.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from uv import find_uv_bin

from deploy import topology

ROOT = Path(__file__).resolve().parents[1]

RIVALS = ("dlt", "duckdb_alone", "pandas_function")
"""What the benchmark compares with, each in an environment of its own."""

# Each with the file whose pins it keeps. What running needs is part of what development needs: the same pins. The
# console has what the services have, whose code it calls.
FILES = {
    "services/ingest/requirements": "services/ingest/requirements",
    "services/merge/requirements": "services/merge/requirements",
    "deploy/google/console/requirements": "services/ingest/requirements",
    "requirements-dev": "requirements-dev",
    "requirements-run": "requirements-dev",
    "requirements-checkov": "requirements-checkov",
    "requirements-bench": "requirements-bench",
    **{
        f"tests/programs/bench/rivals/{one}/requirements": f"tests/programs/bench/rivals/{one}/requirements"
        for one in RIVALS
    },
}
_COMPILE = (
    "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-strip-extras", "--no-emit-index-url",
    "--no-emit-find-links", "--custom-compile-command", "make requirements",
)  # fmt: skip
_WITH_EXTRAS = re.compile(
    r"^(?P<name>[\w.-]+)(?P<extras>\[[^]]+\])(?P<rest>==.*\n(?P<hashes>(?: +--hash=.*\n)+))", re.M
)


def both_spellings(text: str) -> str:
    """The text of a requirements file, with a line without extras before each that has some."""
    return _WITH_EXTRAS.sub(r"\g<name>\g<rest>\g<name>\g<extras>\g<rest>", text)


def compiled(source: str, pins: str) -> str:
    """What uv makes of an `.in` file, keeping the pins of another requirements file's text."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "requirements.txt"
        out.write_text(pins)
        version = ["--python-version", topology.read().python]
        subprocess.run([find_uv_bin(), *_COMPILE, *version, source, "--output-file", out], cwd=ROOT, check=True)
        return both_spellings(out.read_text())


def main() -> None:
    for name, pinned_by in FILES.items():
        pins = ROOT / f"{pinned_by}.txt"
        (ROOT / f"{name}.txt").write_text(compiled(f"{name}.in", pins.read_text() if pins.exists() else ""))


if __name__ == "__main__":
    main()
