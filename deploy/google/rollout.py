"""The steps that deploy, plan or destroy one root; all are shown before the first is run."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from google.api_core import exceptions
from google.cloud import storage

from deploy import bundle, topology
from deploy.bundle import CONSOLE
from deploy.google import image
from deploy.topology import ROOT

ROOTS = ("foundation", *topology.SERVICES, CONSOLE)
Action = Literal["plan", "deploy", "destroy"]
_BUILD = ROOT / "build"
_GOOGLE = Path("deploy") / "google"
_DESTROYED = _BUILD / "destroy"
# What the roots read, by Terraform's `file`, beside their own folder.
_READ = ("deploy", "docs/runbook.md", "services/shared/tables")
_PROTECTED = {"foundation": ("waiting", "kept"), "modules/service": ("push",)}
"""The subscriptions that Terraform may not destroy, by folder."""

_UNPROTECTED = """resource "google_pubsub_subscription" "{name}" {{
  lifecycle {{
    prevent_destroy = false
  }}
}}
"""

_NOTES: dict[tuple[str, str], str] = {
    ("deploy", "ingest"): "For files dropped before ingest was deployed: dropmerge backfill gs://PROJECT-landing.",
    (
        "destroy",
        "ingest",
    ): "Notifications that are still waiting are lost: run dropmerge backfill to publish them again.",
    ("destroy", "merge"): "Staged messages that are still waiting are lost: run dropmerge backfill on their files.",
    ("destroy", "console"): "Nothing is lost: the page keeps nothing. An operation that its job is at is cut short.",
    ("destroy", "foundation"): "Dead letters that are still waiting are lost: replay or discard them first. "
    "Terraform refuses to destroy buckets that hold files, datasets that hold tables, and protected tables: empty and "
    "unprotect them first.",
}


@dataclass(frozen=True)
class Target:
    """A root, and the project and region that it is deployed to."""

    root: str
    project: str
    region: str
    variables: tuple[tuple[str, str], ...] = ()
    """Further Terraform variables."""
    project_number: str = "NUMBER"
    """Unknown until the project was asked."""

    @property
    def state_bucket(self) -> str:
        return f"{self.project}-dropmerge-state"


@dataclass(frozen=True)
class Step:
    """`words` describe it to the user, `run` does it."""

    words: str
    run: Callable[[], None]


def steps(action: Action, target: Target, is_confirmed: Callable[[], bool]) -> list[Step]:
    """What `action` does, in order. `is_confirmed` is called between plan and apply."""
    return [*_before(action, target), *_terraform(action, target, is_confirmed)]


def _before(action: Action, target: Target) -> Iterator[Step]:
    if action == "destroy":
        yield Step(
            f"copy the roots to {_DESTROYED.relative_to(ROOT)}, without what protects subscriptions", _unprotect
        )
    if target.root != "foundation":
        out = _bundle(target.root)
        yield Step(f"write {out.relative_to(ROOT)}", lambda: bundle.write(target.root, out))
    elif action != "destroy":
        words = f"create gs://{target.state_bucket}, for Terraform's state, if it does not exist"
        yield Step(words, lambda: create_state_bucket(target))


def _terraform(action: Action, target: Target, is_confirmed: Callable[[], bool]) -> Iterator[Step]:
    roots = (_DESTROYED if action == "destroy" else ROOT) / _GOOGLE
    terraform = ["terraform", f"-chdir={roots / target.root}"]
    backend = [f"-backend-config=bucket={target.state_bucket}", f"-backend-config=prefix={target.root}"]
    plan = _BUILD / f"{target.root}.tfplan"
    destroy = ["-destroy"] if action == "destroy" else []
    yield _command([*terraform, "init", "-input=false", "-reconfigure", *backend])
    yield _command([*terraform, "plan", "-input=false", f"-out={plan}", *destroy, *_variables(target)])
    if action != "plan":
        yield Step("ask whether to go on", lambda: _ask(is_confirmed))
        if target.root == CONSOLE and action == "deploy":
            yield Step("build the image of the bundle, if it is not there", lambda: _build_image(target))
        yield _command([*terraform, "apply", "-input=false", str(plan)])
    if action == "deploy" and target.root == "foundation":
        yield _command([*terraform, "output", "-raw", "console"])


def _variables(target: Target) -> list[str]:
    variables = {
        "project": target.project,
        "project_number": target.project_number,
        "region": target.region,
        **dict(target.variables),
    }
    if target.root != "foundation":
        variables["bundle"] = str(_bundle(target.root))
    return [f"-var={name}={value}" for name, value in variables.items()]


def _bundle(root: str) -> Path:
    return _BUILD / f"{root}.zip"


def describe(action: Action, target: Target, planned: list[Step]) -> str:
    """The steps in words, with what to know before."""
    lines = [f"{action} {target.root} in project {target.project}, region {target.region}:"]
    lines += [f"  {number}. {step.words}" for number, step in enumerate(planned, 1)]
    note = _NOTES.get((action, target.root))
    return "\n".join([*lines, note.replace("PROJECT", target.project)] if note else lines)


def _build_image(target: Target) -> None:
    try:
        image.build(target.project, target.region, _bundle(target.root))
    except image.BuildError as error:
        raise StepError(str(error)) from error


def _unprotect() -> None:
    """Whoever confirms a destruction has been told what is lost: this, and no deployment, may destroy a subscription.

    Terraform takes `prevent_destroy` as written, from no variable; a file *_override.tf has the last word
    (https://developer.hashicorp.com/terraform/language/files/override).
    """
    shutil.rmtree(_DESTROYED, ignore_errors=True)
    for name in _READ:
        source, copy = ROOT / name, _DESTROYED / name
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns(".terraform", "__pycache__"))
        else:
            copy.parent.mkdir(parents=True)
            shutil.copy(source, copy)
    for folder, names in _PROTECTED.items():
        text = "".join(_UNPROTECTED.format(name=name) for name in names)
        (_DESTROYED / _GOOGLE / folder / "destroy_override.tf").write_text(text, encoding="utf-8")


def create_state_bucket(target: Target) -> None:
    """Creates the bucket for Terraform's state: private, and with versions to restore it from after a failed write."""
    client = storage.Client(project=target.project)
    bucket = client.bucket(target.state_bucket)
    bucket.default_kms_key_name = dict(target.variables).get("kms_key")
    bucket.versioning_enabled = True
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.iam_configuration.public_access_prevention = "enforced"
    try:
        client.create_bucket(bucket, location=target.region, timeout=60)
    except exceptions.Conflict:
        # Names are global: this one must be in our project.
        client.get_bucket(target.state_bucket, timeout=60)


class StepError(Exception):
    """A step failed or was not confirmed; the steps after it were not run."""


def _command(words: list[str]) -> Step:
    def run() -> None:
        _BUILD.mkdir(exist_ok=True)
        code = subprocess.run(words, check=False).returncode
        if code:
            raise StepError(f"{shlex.join(words[:3])} failed with exit code {code}")

    return Step(shlex.join(words), run)


def _ask(is_confirmed: Callable[[], bool]) -> None:
    if not is_confirmed():
        raise StepError("not applied")
