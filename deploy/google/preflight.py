"""Checks what Terraform needs before it can run; each finding says what to do about it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google.auth
import requests
import yaml
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

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

    def has_bucket(self, name: str) -> bool:
        """Whether a bucket of this name exists and the credentials may see it."""
        answer = self.session.get(f"{self.endpoints.storage}/storage/v1/b/{name}", timeout=_TIMEOUT)
        return answer.ok


def check(root: str, project: str) -> list[str]:
    """What is missing to deploy `root` (foundation, ingest or merge) to `project`, one sentence each."""
    faults = list(_terraform())
    try:
        credentials, _ = google.auth.default(scopes=_SCOPES)
    except GoogleAuthError as error:
        return [*faults, _no_credentials(error)]
    session = AuthorizedSession(credentials)  # type: ignore[no-untyped-call]
    return [*faults, *check_project(root, Project(session, project))]


def check_project(root: str, project: Project) -> list[str]:
    """What is missing in the project, or among the permissions of the credentials, to deploy `root`."""
    requirements = yaml.safe_load(REQUIREMENTS.read_text(encoding="utf-8"))
    is_foundation = root == "foundation"
    permissions = requirements["permissions"]["foundation" if is_foundation else "service"]
    try:
        apis = project.missing_apis(requirements["first_apis"] if is_foundation else requirements["apis"])
        faults = [
            f"API {api} is not enabled: gcloud services enable {api} --project {project.project}" for api in apis
        ]
        faults += [
            f"your credentials lack the permission {permission}: ask for a role that has it"
            for permission in project.missing_permissions(permissions)
        ]
        if not is_foundation and not project.has_bucket(f"{project.project}-bundles"):
            faults.append(f"the foundation is not deployed: make deploy-foundation PROJECT={project.project} REGION=…")
    except GoogleAuthError as error:
        return [_no_credentials(error)]
    except requests.RequestException as error:
        return [f"cannot read project {project.project}: {error}"]
    return faults


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
