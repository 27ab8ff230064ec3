"""The image of the console page, which Cloud Build makes of its bundle and a Dockerfile.

`build_config` of `google_cloud_run_v2_service` starts no build, although it looks so
(https://github.com/GoogleCloudPlatform/terraform-google-cloud-run/pull/398,
https://github.com/hashicorp/terraform-provider-google/issues/22263); a function would be built, but has no setting for
IAP, and a job is none. So one image is built here, between plan and apply, for the page's two services and the job.
Its name has the bundle's hash, as Terraform gives it too: what is there already is not built again.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google.auth
import requests
from google.api_core import exceptions
from google.auth.transport.requests import AuthorizedSession
from google.cloud import storage

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_TIMEOUT = 60.0
_BUILD_SECONDS = 1200
_PACKAGE = "console"
_ENDED_WELL = "SUCCESS"
_STILL_AT_IT = ("PENDING", "QUEUED", "WORKING")


class BuildError(Exception):
    """There is no image; the text says why, and where to read on."""


@dataclass(frozen=True)
class Image:
    """The image of one bundle: a project, a region, and the SHA-256 of the bundle's bytes."""

    project: str
    region: str
    digest: str

    @property
    def name(self) -> str:
        return f"{self.region}-docker.pkg.dev/{self.project}/dropmerge/{_PACKAGE}:{self.digest}"

    @property
    def bucket(self) -> str:
        return f"{self.project}-bundles"

    @property
    def source(self) -> str:
        """The bundle's name in its bucket."""
        return f"{_PACKAGE}/{self.digest}.zip"


def image_of(project: str, region: str, bundle: Path) -> Image:
    """Raises OSError where there is no bundle."""
    return Image(project, region, hashlib.sha256(bundle.read_bytes()).hexdigest())


@dataclass(frozen=True)
class Builds:
    """Cloud Build and Artifact Registry, by their REST APIs, as whoever deploys."""

    session: requests.Session
    cloud_build: str = "https://cloudbuild.googleapis.com"
    artifact_registry: str = "https://artifactregistry.googleapis.com"
    pause_seconds: float = 5.0

    def has(self, image: Image) -> bool:
        """https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories.packages.tags/get

        Raises BuildError.
        """
        parent = f"projects/{image.project}/locations/{image.region}/repositories/dropmerge/packages/{_PACKAGE}"
        url = f"{self.artifact_registry}/v1/{parent}/tags/{image.digest}"
        answer = self.session.get(url, timeout=_TIMEOUT)
        if answer.status_code == 404:
            return False
        _json(answer)
        return True

    def run(self, image: Image) -> None:
        """Build it of the bundle in its bucket, and wait. Raises BuildError.

        https://cloud.google.com/build/docs/api/reference/rest/v1/projects.locations.builds/create
        """
        url = f"{self.cloud_build}/v1/projects/{image.project}/locations/{image.region}/builds"
        begun = _json(self.session.post(url, json=_request(image), timeout=_TIMEOUT))["metadata"]["build"]
        build, ends_at = begun, time.monotonic() + 2 * _BUILD_SECONDS
        while build.get("status", _STILL_AT_IT[0]) in _STILL_AT_IT:
            if time.monotonic() > ends_at:
                raise BuildError(f"the build of {image.name} does not end: {build.get('logUrl')}")
            time.sleep(self.pause_seconds)
            build = _json(self.session.get(f"{url}/{begun['id']}", timeout=_TIMEOUT))
        if build["status"] != _ENDED_WELL:
            why = build.get("statusDetail") or build["status"]
            raise BuildError(f"the image {image.name} was not built: {why}; its log is {build.get('logUrl')}")


def build(project: str, region: str, bundle: Path) -> None:
    """Make the image of the bundle, if it is not there. Raises BuildError, OSError or Google's errors."""
    image = image_of(project, region, bundle)
    credentials, _ = google.auth.default(scopes=_SCOPES, quota_project_id=project)
    builds = Builds(AuthorizedSession(credentials))  # type: ignore[no-untyped-call]
    make(image, bundle, builds, storage.Client(project=project))


def make(image: Image, bundle: Path, builds: Builds, client: storage.Client) -> None:
    """As `build`, with the clients that are given."""
    try:
        if builds.has(image):
            return
        blob = client.bucket(image.bucket).blob(image.source)
        # By the name that is its hash, what is there already is this.
        with suppress(exceptions.PreconditionFailed):
            blob.upload_from_filename(str(bundle), if_generation_match=0, timeout=_TIMEOUT)
        builds.run(image)
    except requests.RequestException as error:
        raise BuildError(f"the image {image.name} was not built: {error}") from error


def _request(image: Image) -> dict[str, Any]:
    """A build of an identity of its own has its log in Cloud Logging, or in a bucket of ours
    (https://cloud.google.com/build/docs/securing-builds/configure-user-specified-service-accounts)."""
    account = f"dropmerge-build@{image.project}.iam.gserviceaccount.com"
    return {
        "source": {"storageSource": {"bucket": image.bucket, "object": image.source}},
        "steps": [{"name": "gcr.io/cloud-builders/docker", "args": ["build", "--tag", image.name, "."]}],
        "images": [image.name],
        "serviceAccount": f"projects/{image.project}/serviceAccounts/{account}",
        "options": {"logging": "CLOUD_LOGGING_ONLY"},
        "timeout": f"{_BUILD_SECONDS}s",
    }


def _json(answer: requests.Response) -> Any:
    if not answer.ok:
        try:
            words = answer.json()["error"]["message"]
        except (ValueError, KeyError, TypeError):
            words = answer.text[:200]
        raise BuildError(f"{answer.status_code} from {answer.url}: {words}")
    return answer.json()
