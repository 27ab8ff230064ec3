"""The example workflow: it deploys the roots in their order, when something that they are made of changes."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from deploy import bundle, topology
from deploy.google import rollout
from deploy.topology import ROOT
from tests.deploy import hcl

FOLDER = ROOT / ".github" / "workflows"
TEXT = (FOLDER / "deploy.yml").read_text()
WORKFLOW: dict[Any, Any] = yaml.safe_load(TEXT)
# Merge reads what either version of ingest has staged, and both need what the foundation makes. The console page is
# deployed by hand, by who wants it.
ORDER = ["foundation", "merge", "ingest"]


def triggers(path: str) -> bool:
    """Whether a change of this path starts the workflow; `on` is read as true by YAML 1.1."""
    patterns = WORKFLOW[True]["push"]["paths"]
    pieces = {"**": ".*", "*": "[^/]*"}
    return any(
        re.fullmatch("".join(pieces.get(part, re.escape(part)) for part in re.split(r"(\*\*|\*)", pattern)), path)
        for pattern in patterns
    )


def sources(service: str) -> set[str]:
    """The files of the repository that a bundle is made of."""
    named = {"main.py": "deploy/bundle.py", "requirements.txt": f"services/{service}/requirements.txt"}
    return {named.get(path, path.replace("feeds/", "deploy/feeds/", 1)) for path in bundle.contents(service)}


def test_no_two_roots_are_deployed_at_once() -> None:
    """One workflow, in one group, whose jobs wait for each other: a contract's dataset and its grants come before the
    services that read it."""
    assert [
        path.name
        for path in FOLDER.glob("*.yml")
        if "deploy.google" in path.read_text() or "make deploy-" in path.read_text()
    ] == ["deploy.yml"]
    assert {*ORDER, "console"} == set(rollout.ROOTS)
    assert list(WORKFLOW["jobs"]) == ORDER
    assert [job.get("needs") for job in WORKFLOW["jobs"].values()] == [None, *ORDER[:-1]]
    assert WORKFLOW["concurrency"] == {"group": "deploy", "cancel-in-progress": False}


@pytest.mark.parametrize("service", topology.SERVICES)
def test_whatever_a_bundle_holds_triggers_it(service: str) -> None:
    for path in sources(service):
        assert triggers(path), path


def test_whatever_terraform_reads_triggers_it() -> None:
    """Its own files, and each file of the repository that it reads."""
    for folder in hcl.FOLDERS:
        terraform = list(hcl.path_of(folder).glob("*.tf"))
        names = [one for path in terraform for one in re.findall(r"path\.module\}/([^\"]+)", path.read_text())]
        # A name that Terraform fills in stands for any.
        read = [(hcl.path_of(folder) / re.sub(r"\$\{[^}]*\}", "any", name)).resolve() for name in names]
        for path in (*terraform, *read):
            changed = path / "any" if path.is_dir() else path
            assert triggers(changed.relative_to(ROOT).as_posix()), changed


def test_what_is_no_part_of_a_deployment_triggers_nothing() -> None:
    for path in ("README.md", "docs/history.md", "tests/deploy/test_workflows.py", "dropmerge/cli/main.py"):
        assert not triggers(path), path


@pytest.mark.parametrize("root", ORDER)
def test_a_workflow_deploys_its_own_root_without_a_stored_key(root: str) -> None:
    """It authenticates by federation, with no more rights on the repository than to read it."""
    assert WORKFLOW["permissions"] == {"contents": "read", "id-token": "write"}
    steps = WORKFLOW["jobs"][root]["steps"]
    runs = [step["run"] for step in steps if "run" in step]
    assert [run.split()[:2] for run in runs] == [["make", f"deploy-{root}"]]
    # What is outside reaches a shell as a variable of its own, never as text of the script.
    assert "${{" not in "".join(runs)
    (auth,) = [step["with"] for step in steps if step.get("uses", "").startswith("google-github-actions/auth@")]
    assert set(auth) == {"workload_identity_provider", "service_account"}
    assert "secrets." not in TEXT
    (python,) = [step["with"] for step in steps if step.get("uses", "").startswith("actions/setup-python@")]
    assert python == {"python-version": topology.read().python}


@pytest.mark.parametrize("root", ORDER)
def test_a_workflow_gives_each_root_what_make_can_give_it(root: str) -> None:
    """A variable that one deployment has and the next has not would be taken back: the key, or who is told."""
    (given,) = [step["env"] for step in WORKFLOW["jobs"][root]["steps"] if "env" in step]
    every = {name for name in hcl.blocks(root, "variable") if name not in ("bundle", "project_number")}
    assert {name.lower() for name in given} == every
