"""The example workflows: each deploys its own root, when what that is made of changes."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from deploy import bundle, topology
from deploy.google import rollout
from deploy.topology import ROOT
from tests.deploy import hcl


def workflow(root: str) -> dict[Any, Any]:
    read: dict[Any, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / f"deploy-{root}.yml").read_text())
    return read


def triggers(root: str, path: str) -> bool:
    """Whether a change of this path starts the workflow; `on` is read as true by YAML 1.1."""
    patterns = workflow(root)[True]["push"]["paths"]
    pieces = {"**": ".*", "*": "[^/]*"}
    return any(
        re.fullmatch("".join(pieces.get(part, re.escape(part)) for part in re.split(r"(\*\*|\*)", pattern)), path)
        for pattern in patterns
    )


def sources(service: str) -> set[str]:
    """The files of the repository that a bundle is made of."""
    named = {"main.py": "deploy/bundle.py", "requirements.txt": f"services/{service}/requirements.txt"}
    return {named.get(path, path.replace("feeds/", "deploy/feeds/", 1)) for path in bundle.contents(service)}


@pytest.mark.parametrize("service", topology.SERVICES)
def test_whatever_a_bundle_holds_triggers_its_service(service: str) -> None:
    """A change of its Terraform, of the module or of the topology triggers it too."""
    terraform = {
        path.relative_to(ROOT).as_posix()
        for folder in (service, "modules/service")
        for path in hcl.path_of(folder).glob("*.tf")
    }
    for path in {*sources(service), *terraform, "deploy/topology.yaml"}:
        assert triggers(service, path), path


def test_whatever_the_foundation_is_made_of_triggers_it() -> None:
    """A change of its Terraform does, and of each file of the repository that its Terraform reads."""
    terraform = list(hcl.path_of("foundation").glob("*.tf"))
    names = [one for path in terraform for one in re.findall(r"path\.module\}/([^\"]+)", path.read_text())]
    # A name that Terraform fills in stands for any.
    read = [(hcl.path_of("foundation") / re.sub(r"\$\{[^}]*\}", "any", name)).resolve() for name in names]
    assert len(read) > 2
    for path in (*terraform, *read):
        changed = path / "any" if path.is_dir() else path
        assert triggers("foundation", changed.relative_to(ROOT).as_posix()), changed


@pytest.mark.parametrize("service", topology.SERVICES)
def test_the_other_service_triggers_nothing(service: str) -> None:
    """A change of the other service's code or Terraform deploys nothing."""
    (other,) = set(topology.SERVICES) - {service}
    for path in (sources(other) - sources(service)) | {f"deploy/google/{other}/main.tf"}:
        assert not triggers(service, path), path


@pytest.mark.parametrize("root", rollout.ROOTS)
def test_a_workflow_deploys_its_own_root_without_a_stored_key(root: str) -> None:
    """It authenticates by federation, with no more rights on the repository than to read it."""
    read = workflow(root)
    assert read["permissions"] == {"contents": "read", "id-token": "write"}
    steps = read["jobs"]["deploy"]["steps"]
    runs = [step["run"] for step in steps if "run" in step]
    assert [run.split()[:2] for run in runs] == [["make", f"deploy-{root}"]]
    # What is outside reaches a shell as a variable of its own, never as text of the script.
    assert "${{" not in "".join(runs)
    (auth,) = [step["with"] for step in steps if step.get("uses", "").startswith("google-github-actions/auth@")]
    assert set(auth) == {"workload_identity_provider", "service_account"}
    assert "secrets." not in (ROOT / ".github" / "workflows" / f"deploy-{root}.yml").read_text()
