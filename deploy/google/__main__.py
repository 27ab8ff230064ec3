"""`python -m deploy.google plan|deploy|destroy ROOT --project P --region R`, of rollout.ROOTS, and `probe`."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace

from google.api_core.exceptions import GoogleAPIError

from deploy.bundle import BundleError
from deploy.google import preflight, rollout

# https://cloud.google.com/resource-manager/docs/creating-managing-projects; bucket names contain it.
_PROJECT = r"[a-z][a-z0-9-]{4,28}[a-z0-9]"
_REGION = r"[a-z]+(-[a-z]+)+[0-9]+"
_KEY = r"projects/[\w.:-]+/locations/[\w-]+/keyRings/[\w-]+/cryptoKeys/[\w-]+"

# https://cloud.google.com/iam/docs/principal-identifiers; IAP itself knows no other people than these.
_MEMBER = r"(user|group):[^\s,@:]+@[^\s,@:]+\.[^\s,@:]+"
_RESERVATION = r"projects/[\w.:-]+/locations/[\w-]+/reservations/[\w-]+"


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns 0 when done, 1 when a step failed or was not confirmed, 2 when a requirement is missing."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["probe"]:
        # It imports the services, and a deployment does not.
        from deploy.google.probe import command

        return command.main(words[1:], _like(_PROJECT, "a project id"), _like(_REGION, "a region"))
    given = _parser().parse_args(words)
    try:
        target = _target(given)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    confirm = (lambda: True) if given.yes else _confirm
    print(rollout.describe(given.action, target, rollout.steps(given.action, target, confirm)), flush=True)
    report = preflight.check(given.root, given.project, given.dataset_location or given.region)
    if report.faults:
        print("\n".join(["cannot start:", *(f"  - {fault}" for fault in report.faults)]), file=sys.stderr)
        return 2
    steps = rollout.steps(given.action, replace(target, project_number=report.project_number), confirm)
    for step in steps:
        print(f"» {step.words}", flush=True)
        try:
            step.run()
        except (rollout.StepError, BundleError, GoogleAPIError, OSError) as error:
            print(error, file=sys.stderr)
            return 1
    return 0


def _target(given: argparse.Namespace) -> rollout.Target:
    """Raises: ValueError, with a line that says which options do not go together."""
    if given.kms_key and {given.kms_key.split("/")[3], given.dataset_location or given.region} != {given.region}:
        raise ValueError(f"with --kms-key everything is in one region, the key and the datasets too: {given.region}")
    regions = _list(given.message_regions)
    foundation = {"alert_email": given.alert_email, "runbook": given.runbook, "message_regions": regions}
    if given.root != "foundation" and any(foundation.values()):
        raise ValueError("--alert-email, --runbook and --message-regions are for the foundation only")
    if given.root != "merge" and given.merge_reservation:
        raise ValueError("--merge-reservation is for merge only")
    console = {name: _list(getattr(given, name)) for name in ("console_viewers", "console_operators")}
    if given.root != "console" and any(console.values()):
        raise ValueError("--console-viewers and --console-operators are for the console only")
    own = {**foundation, **console, "merge_reservation": given.merge_reservation}
    every = {"kms_key": given.kms_key, "dataset_location": given.dataset_location, **own}
    variables = tuple((name, value) for name, value in every.items() if value)
    return rollout.Target(given.root, given.project, given.region, variables)


def _list(text: str) -> str:
    """A list as Terraform reads it on its command line; empty if there is nothing in it."""
    return json.dumps(text.split(",")) if text else ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.google",
        description="Plan, deploy or destroy a part of the pipeline on Google Cloud, and ask before it is changed.",
        epilog="Example: python -m deploy.google plan foundation --project my-project --region europe-west1. "
        "Before the first deployment: python -m deploy.google probe --help",
    )
    parser.add_argument(
        "action", choices=("plan", "deploy", "destroy"), metavar="ACTION", help="plan, deploy or destroy"
    )
    parser.add_argument("root", choices=rollout.ROOTS, metavar="PART", help="foundation, ingest, merge or console")
    parser.add_argument(
        "--project", required=True, type=_like(_PROJECT, "a project id"), help="the Google Cloud project"
    )
    parser.add_argument(
        "--region",
        required=True,
        type=_like(_REGION, "a region, such as europe-west1"),
        help="where everything is created",
    )
    parser.add_argument(
        "--dataset-location",
        metavar="LOCATION",
        default="",
        type=_like(f"({_REGION}|EU|US)?", "a region, EU or US"),
        help="where the datasets are, if not in the region: the same for each part",
    )
    parser.add_argument(
        "--kms-key",
        metavar="NAME",
        default="",
        type=_like(f"({_KEY})?", "a key, projects/…/locations/…/keyRings/…/cryptoKeys/…"),
        help="the key that encrypts what is stored: the same for each part",
    )
    parser.add_argument(
        "--message-regions",
        metavar="REGIONS",
        default="",
        type=_like(f"({_REGION}(,{_REGION})*)?", "regions with commas between them"),
        help="where Pub/Sub may keep messages, commas between, if not in the region alone (foundation only)",
    )
    parser.add_argument(
        "--merge-reservation",
        metavar="NAME",
        default="",
        type=_like(f"({_RESERVATION})?", "a reservation, projects/…/locations/…/reservations/…"),
        help="whose slots merge's queries run on, if not the project's (merge only)",
    )
    for role, may in (("viewers", "look"), ("operators", "also replay and discard")):
        parser.add_argument(
            f"--console-{role}",
            metavar="MEMBERS",
            default="",
            type=_like(
                f"({_MEMBER}(,{_MEMBER})*)?", "members, user:ADDRESS or group:ADDRESS, with commas between them"
            ),
            help=f"who may {may} in the console page, commas between (console only)",
        )
    parser.add_argument(
        "--alert-email", metavar="ADDRESS", default="", help="who receives the alerts (foundation only)"
    )
    parser.add_argument("--runbook", metavar="URL", default="", help="the page that alerts link to (foundation only)")
    parser.add_argument("--yes", action="store_true", help="apply the plan without asking")
    return parser


def _like(pattern: str, what: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
        return text

    return check


def _confirm() -> bool:
    if not sys.stdin.isatty():
        print(
            "there is no terminal to ask at: add --yes (make … YES=1) to apply the plan without asking",
            file=sys.stderr,
        )
        return False
    return input("apply this plan? [y/N] ").strip().lower() in ("y", "yes")


if __name__ == "__main__":
    raise SystemExit(main())
