"""What the local cloud says, recorded in `local.json`: the operator's machine needs no local cloud then.

`python -m deploy.google.probe.local` asks the local cloud of `dropmerge env` again, and prints the file anew; a test
holds it equal to what the local cloud says.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from deploy.google.probe import run
from deploy.google.probe.clients import Clients, emulated
from deploy.google.probe.scratch import scratch

PATH = Path(__file__).parent / "local.json"


def recorded() -> dict[str, str]:
    """Verdict by question, but of those that need a large file."""
    verdicts: dict[str, str] = json.loads(PATH.read_text(encoding="utf-8"))
    return verdicts


def main() -> int:
    """Prints the verdicts of the local cloud that the environment points at."""
    if not emulated():
        print("the environment points at no local cloud: see `dropmerge env`", file=sys.stderr)
        return 2
    with scratch(Clients("local", "US")) as own:
        answers = run.ask_all(run.questions(with_large=False), own, True, threading.Event(), lambda *_: None)
    print(json.dumps({name: answer.verdict for name, answer in answers.items()}, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
