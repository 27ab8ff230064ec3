"""Checks what Terraform needs before it can run; each finding says what to do about it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import google.auth
import requests
import yaml
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

OPS = "ops"
"""The dataset that every deployment has."""
REQUIREMENTS = Path(__file__).parent / "requirements.yaml"
_OLDEST_TERRAFORM = (1, 9)
_TIMEOUT = 30.0
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


@dataclass(frozen=True)
class Endpoints:
    """Base URLs of Google's APIs."""

    service_usage: str = "https://serviceusage.googleapis.com"
    resource_manager: str = "https://cloudresourcemanager.googleapis.com"
    storage: str = "https://storage.googleapis.com"
    bigquery: str = "https://bigquery.googleapis.com"


@dataclass(frozen=True)
class Report:
    """What is missing, one sentence each, and the project's number, which is empty where something is missing."""

    faults: list[str]
    project_number: str = ""


@dataclass(frozen=True)
class Project:
    """A project, and the session whose credentials ask about it."""

    session: requests.Session
    project: str
    endpoints: Endpoints = Endpoints()

    def missing_apis(self, apis: Sequence[str]) -> list[str]:
        """The APIs that are not enabled.

        https://cloud.google.com/service-usage/docs/reference/rest/v1/services/batchGet
        """
        names = [("names", f"projects/{self.project}/services/{api}") for api in apis]
        url = f"{self.endpoints.service_usage}/v1/projects/{self.project}/services:batchGet"
        answer = self.session.get(url, params=names, timeout=_TIMEOUT)
        found = _json(answer).get("services", [])
        enabled = {one["name"].rpartition("/")[2] for one in found if one.get("state") == "ENABLED"}
        return [api for api in apis if api not in enabled]

    def missing_permissions(self, permissions: Sequence[str]) -> list[str]:
        """The permissions that the credentials lack.

        https://cloud.google.com/resource-manager/reference/rest/v1/projects/testIamPermissions
        """
        url = f"{self.endpoints.resource_manager}/v1/projects/{self.project}:testIamPermissions"
        answer = self.session.post(url, json={"permissions": list(permissions)}, timeout=_TIMEOUT)
        held = set(_json(answer).get("permissions", []))
        return [permission for permission in permissions if permission not in held]

    def number(self) -> str:
        """The project's number.

        https://cloud.google.com/resource-manager/reference/rest/v1/projects/get
        """
        url = f"{self.endpoints.resource_manager}/v1/projects/{self.project}"
        return str(_json(self.session.get(url, timeout=_TIMEOUT))["projectNumber"])

    def dataset_location(self, dataset: str) -> str | None:
        """Where a dataset is; None where there is none, or where the credentials may not see it.

        https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets/get
        """
        url = f"{self.endpoints.bigquery}/bigquery/v2/projects/{self.project}/datasets/{dataset}"
        answer = self.session.get(url, timeout=_TIMEOUT)
        return str(_json(answer)["location"]) if answer.ok else None

    def has_bucket(self, name: str) -> bool:
        """Whether a bucket of this name exists and the credentials may see it."""
        answer = self.session.get(f"{self.endpoints.storage}/storage/v1/b/{name}", timeout=_TIMEOUT)
        return answer.ok


def check(root: str, project: str, location: str, endpoints: Endpoints = Endpoints()) -> Report:
    """What is missing to deploy `root`, of rollout.ROOTS, to `project`, with datasets in `location`."""
    faults = list(_terraform())
    try:
        # The project pays for what is asked of it: a person's own credentials belong to none, and are refused without
        # (https://cloud.google.com/docs/authentication/troubleshoot-adc#user-creds-client-based).
        credentials, _ = google.auth.default(scopes=_SCOPES, quota_project_id=project)
    except GoogleAuthError as error:
        return Report([*faults, _no_credentials(error)])
    session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
    report = check_project(root, location, Project(session, project, endpoints))
    return replace(report, faults=[*faults, *report.faults])


def check_project(root: str, location: str, project: Project) -> Report:
    """What is missing in the project, or among the permissions of the credentials, to deploy `root`."""
    requirements = yaml.safe_load(REQUIREMENTS.read_text(encoding="utf-8"))
    is_foundation = root == "foundation"
    try:
        apis = project.missing_apis(requirements["first_apis"] if is_foundation else requirements["apis"])
        if apis:
            return Report([_not_enabled(api, project.project) for api in apis])
        faults = [
            f"your credentials lack the permission {permission}: ask for a role that has it"
            for permission in project.missing_permissions(permissions(requirements, root))
        ]
        if not is_foundation and not project.has_bucket(f"{project.project}-bundles"):
            faults.append(f"the foundation is not deployed: make deploy-foundation PROJECT={project.project} REGION=…")
        faults += _elsewhere(project.dataset_location(OPS), location)
        return Report(faults, project.number())
    except GoogleAuthError as error:
        return Report([_no_credentials(error)])
    except requests.RequestException as error:
        return Report([f"cannot read project {project.project}: {error}{_quota_project(str(error), project.project)}"])


def permissions(requirements: Mapping[str, Any], root: str) -> list[str]:
    """What whoever deploys a root needs, for its state and for each type of resource that it holds; sorted."""
    listed = requirements["permissions"]
    image = listed["image"] if root == "console" else []
    needed = (listed["state"], image, *listed[root if root in listed else "service"].values())
    return sorted({permission for those in needed for permission in those})


def _not_enabled(api: str, project: str) -> str:
    return f"API {api} is not enabled: gcloud services enable {api} --project {project}"


def _elsewhere(found: str | None, wanted: str) -> Iterator[str]:
    if found is not None and found.lower() != wanted.lower():
        yield f"the datasets are in {found}, where they stay, and not in {wanted}: say DATASET_LOCATION={found}"


def _quota_project(words: str, project: str) -> str:
    wanted = "quota project" in words
    return f" (gcloud auth application-default set-quota-project {project})" if wanted else ""


def _terraform() -> Iterator[str]:
    path = shutil.which("terraform")
    if path is None:
        yield "terraform is not on the PATH: https://developer.hashicorp.com/terraform/install"
        return
    output = subprocess.run([path, "version", "-json"], capture_output=True, text=True, check=False)
    try:
        version = json.loads(output.stdout[output.stdout.index("{") :])["terraform_version"]
        numbers = tuple(int(part) for part in version.split(".")[:2])
    except (ValueError, KeyError):
        yield f"{path} does not print its version: {(output.stderr or output.stdout).strip()[:200]}"
        return
    if numbers < _OLDEST_TERRAFORM:
        yield f"terraform {version} is too old: {'.'.join(map(str, _OLDEST_TERRAFORM))} or newer is needed"


def _no_credentials(error: Exception) -> str:
    gcloud = (
        "" if shutil.which("gcloud") else " (gcloud is not on the PATH: https://cloud.google.com/sdk/docs/install)"
    )
    return f"no usable Google credentials: gcloud auth application-default login{gcloud}; {error}"


def _json(answer: requests.Response) -> Mapping[str, Any]:
    if not answer.ok:
        try:
            words = answer.json()["error"]["message"]
        except (ValueError, KeyError, TypeError):
            words = answer.text[:200]
        raise requests.HTTPError(f"{answer.status_code} from {answer.url.partition('?')[0]}: {words}")
    found = answer.json()
    return found if isinstance(found, dict) else {}
