"""The steps that deploy, plan or destroy one root, shown before the first of them is taken."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from google.api_core import exceptions
from google.cloud import storage

from deploy import bundle, topology
from deploy.topology import ROOT

ROOTS = ("foundation", *topology.SERVICES)
Action = Literal["plan", "deploy", "destroy"]

_NOTES: dict[tuple[str, str], str] = {
    ("deploy", "ingest"): "Files that were dropped before ingest was there: dropmerge backfill gs://PROJECT-landing.",
    ("destroy", "ingest"): "Notifications that still wait are lost; backfill announces their files again.",
    ("destroy", "merge"): "Staged messages that still wait are lost; backfill announces their files again.",
    ("destroy", "foundation"): "Buckets that hold files, datasets that hold tables and protected tables are refused: "
    "empty and unprotect them yourself.",
}


@dataclass(frozen=True)
class Target:
    """Which root goes where."""

    root: str
    project: str
    region: str
    variables: tuple[tuple[str, str], ...] = ()
    """Further Terraform variables."""

    @property
    def state_bucket(self) -> str:
        return f"{self.project}-dropmerge-state"


@dataclass(frozen=True)
class Step:
    words: str
    run: Callable[[], None]


def steps(action: Action, target: Target, is_confirmed: Callable[[], bool]) -> list[Step]:
    """What `action` does, in order. Between plan and apply, `is_confirmed` is asked."""
    build = ROOT / "build"
    folder, plan = ROOT / "deploy" / "google" / target.root, build / f"{target.root}.tfplan"
    zipped = build / f"{target.root}.zip"
    variables = {"project": target.project, "region": target.region, **dict(target.variables)}
    found: list[Step] = []
    if target.root == "foundation":
        bucket = target.state_bucket
        if action != "destroy":
            found.append(
                Step(
                    f"create gs://{bucket}, for Terraform's state, if it is not there",
                    lambda: create_state_bucket(target),
                )
            )
    else:
        variables["bundle"] = str(zipped)
        found.append(Step(f"write {zipped.relative_to(ROOT)}", lambda: bundle.write(target.root, zipped)))
    terraform = ["terraform", f"-chdir={folder}"]
    backend = [f"-backend-config=bucket={target.state_bucket}", f"-backend-config=prefix={target.root}"]
    given = [f"-var={name}={value}" for name, value in variables.items()]
    destroy = ["-destroy"] if action == "destroy" else []
    found.append(_command([*terraform, "init", "-input=false", "-reconfigure", *backend]))
    found.append(_command([*terraform, "plan", "-input=false", f"-out={plan}", *destroy, *given]))
    if action != "plan":
        found.append(Step("ask whether to go on", lambda: _ask(is_confirmed)))
        found.append(_command([*terraform, "apply", "-input=false", str(plan)]))
    if action == "deploy" and target.root == "foundation":
        found.append(_command([*terraform, "output", "-raw", "console"]))
    return found


def describe(action: Action, target: Target, planned: list[Step]) -> str:
    """The steps in words, with what to know before."""
    lines = [f"{action} {target.root} in project {target.project}, region {target.region}:"]
    lines += [f"  {number}. {step.words}" for number, step in enumerate(planned, 1)]
    note = _NOTES.get((action, target.root))
    return "\n".join([*lines, note.replace("PROJECT", target.project)] if note else lines)


def create_state_bucket(target: Target) -> None:
    """The bucket for Terraform's state: private, and with the versions that a torn write is mended from."""
    client = storage.Client(project=target.project)
    bucket = client.bucket(target.state_bucket)
    bucket.versioning_enabled = True
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.iam_configuration.public_access_prevention = "enforced"
    try:
        client.create_bucket(bucket, location=target.region, timeout=60)
    except exceptions.Conflict:
        # Names are global: it must be ours.
        client.get_bucket(target.state_bucket, timeout=60)


class Stopped(Exception):
    """A step failed or was not agreed to; nothing after it was done."""


def _command(words: list[str]) -> Step:
    def run() -> None:
        (ROOT / "build").mkdir(exist_ok=True)
        code = subprocess.run(words, check=False).returncode
        if code:
            raise Stopped(f"{shlex.join(words[:3])} ended with code {code}")

    return Step(shlex.join(words), run)


def _ask(is_confirmed: Callable[[], bool]) -> None:
    if not is_confirmed():
        raise Stopped("not applied")
