"""`python -m deploy.google probe --project P --region R`."""

from __future__ import annotations

import argparse
import fnmatch
import json
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from google.api_core.exceptions import GoogleAPIError
from google.auth.exceptions import GoogleAuthError

from deploy.google.probe import by_hand, local, run, show
from deploy.google.probe.clients import Clients, emulated, missing
from deploy.google.probe.question import NOT_HERE, Answer, Question
from deploy.google.probe.scratch import DATASET, TOPIC, bucket_name, leftovers, scratch

_ERRORS = (GoogleAPIError, GoogleAuthError, OSError)
_INTERRUPTED = 130
_STEPS = 20
"""Questions between two lines of progress."""


def main(words: Sequence[str], project: Callable[[str], str], region: Callable[[str], str]) -> int:
    """0 when all is as expected, 1 when a verdict is not or nothing was confirmed, 2 when a requirement is missing,
    130 when interrupted. `project` and `region` read these arguments."""
    try:
        is_local = emulated()
    except ValueError as error:
        return _refuse([str(error)])
    given = _parser(_local_project if is_local else project, region).parse_args(words)
    asked = [one for one in run.questions(given.large) if fnmatch.fnmatchcase(one.name, given.only)]
    if not asked:
        return _refuse([f"no question is called {given.only!r}: --dry-run lists them"])
    _say(_plan(asked, given.project, given.region, given.keep))
    if given.dry_run:
        print(
            "\n".join([*(f"{one.name}: {one.asks}" for one in asked), "", *by_hand.lines(given.project, given.region)])
        )
        return 0
    return _run(asked, given, is_local)


def _run(asked: Sequence[Question], given: argparse.Namespace, is_local: bool) -> int:
    clients = Clients(given.project, given.region)
    try:
        if faults := missing(clients) or [f"there is already {one}" for one in leftovers(clients)]:
            return _refuse(faults)
    except _ERRORS as error:
        return _refuse([_text(error)])
    if not given.yes and (code := _confirmed()):
        return code
    return _ask(asked, clients, given, is_local)


def _ask(asked: Sequence[Question], clients: Clients, given: argparse.Namespace, is_local: bool) -> int:
    code = None
    with _stopping() as stop:
        try:
            with scratch(clients, given.keep) as own:
                answers = run.ask_all(asked, own, is_local, stop, _progress)
                # Before anything is removed, which may fail.
                code = _INTERRUPTED if stop.is_set() else _report(asked, answers, given, is_local)
        except _ERRORS as error:
            if code is None:
                return _refuse([_text(error)])
            _say([f"not all could be removed: {_text(error)}"])
            code = code or 1
        _say([f"still there: {one}" for one in leftovers(clients)])
    if code == _INTERRUPTED:
        _say(["interrupted"])
    return code


def _report(
    asked: Sequence[Question], answers: Mapping[str, Answer], given: argparse.Namespace, is_local: bool
) -> int:
    known = local.recorded()
    answered = [run.compare(one, answers[one.name], known.get(one.name, NOT_HERE), is_local) for one in asked]
    if given.json:
        print(json.dumps(show.as_json(answered, given.project, given.region), indent=1))
    else:
        _print(answered, given, is_local)
    return 0 if all(one.is_as_expected for one in answered) else 1


def _print(answered: Sequence[run.Answered], given: argparse.Namespace, is_local: bool) -> None:
    print("\n".join(show.table(answered, "this local cloud" if is_local else "Google Cloud")))
    differences = show.differences(answered)
    wrong = sum(not one.is_as_expected for one in answered)
    print(f"\n{len(answered)} questions, {wrong} not answered as expected", *differences, sep="\n")
    print("", "What was said:", *show.said(answered), "", *by_hand.lines(given.project, given.region), sep="\n")


def _plan(asked: Sequence[Question], project: str, region: str, keep: bool) -> list[str]:
    cents = math.ceil(run.dollars(asked) * 100)
    end = "keeps" if keep else "removes"
    return [
        f"probe project {project}, region {region}:",
        f"  creates dataset {DATASET}, bucket {bucket_name(project)}, topic {TOPIC} and its subscriptions,",
        f"  and {end} them at the end",
        f"  asks {len(asked)} questions, which cost at most ${cents / 100:.2f} by list prices",
    ]


def _parser(project: Callable[[str], str], region: Callable[[str], str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.google probe",
        description="Ask Google Cloud, in an empty project, what its documentation leaves open, and print its "
        "verdicts beside the local cloud's. Where the environment points at a local cloud, as `dropmerge env` prints, "
        "that is asked.",
    )
    parser.add_argument("--project", required=True, type=project, help="the Google Cloud project")
    parser.add_argument("--region", required=True, type=region, help="where the dataset and the bucket are made")
    parser.add_argument("--large", action="store_true", help="also a file of 4 GiB and tables of 5 GiB")
    parser.add_argument(
        "--only", default="*", metavar="PATTERN", help="questions whose names match, such as control_*"
    )
    parser.add_argument("--keep", action="store_true", help="keep what was made, to look at it")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--dry-run", action="store_true", help="list the questions and what they cost; ask none")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    return parser


def _local_project(text: str) -> str:
    if text != os.environ.get("GOOGLE_CLOUD_PROJECT", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the local cloud's project")
    return text


def _confirmed() -> int:
    """0 for yes."""
    if not sys.stdin.isatty():
        return _refuse(["there is no terminal to ask at: add --yes to go on without asking"])
    return 0 if input("go on? [y/N] ").strip().lower() in ("y", "yes") else 1


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Set by Ctrl-C, SIGTERM or a terminal that closes. No exception is raised: one between making something and
    remembering it would leave it behind."""
    stop = threading.Event()

    def hear(*_: object) -> None:
        stop.set()
        _say(["stopping once the questions that are being asked are answered"])

    before = {one: signal.signal(one, hear) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _progress(done: int, of: int) -> None:
    if done % _STEPS == 0:
        _say([f"{done} of {of} answered"])


def _text(error: Exception) -> str:
    return " ".join(str(error).split())


def _refuse(faults: Sequence[str]) -> int:
    _say(["cannot start:", *(f"  - {one}" for one in faults)])
    return 2


def _say(lines: Sequence[str]) -> None:
    if lines:
        print("\n".join(lines), file=sys.stderr, flush=True)
