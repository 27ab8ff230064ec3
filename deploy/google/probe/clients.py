"""Clients for a project on Google Cloud, or for a local cloud that the environment points at."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import google.auth
import requests
from google.auth import downscoped
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession
from google.cloud import bigquery
from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
from google.cloud.storage import Client

from deploy.google import preflight
from services.shared.warehouse import Warehouse

EMULATORS = ("BIGQUERY_EMULATOR_HOST", "PUBSUB_EMULATOR_HOST", "STORAGE_EMULATOR_HOST")
APIS = ("bigquery", "iam", "pubsub", "storage", "sts")
"""`iam` and `sts` make a token that may do less than its owner
(https://cloud.google.com/iam/docs/create-downscoped-short-lived-credentials)."""
PERMISSIONS = (
    "bigquery.datasets.create",
    "bigquery.jobs.create",
    "pubsub.subscriptions.create",
    "pubsub.topics.create",
    "storage.buckets.create",
)
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_SECONDS = 600.0
_OF_INGEST = ["inRole:roles/storage.objectViewer", "inRole:roles/storage.objectCreator"]


def emulated() -> bool:
    """Whether the environment points at a local cloud. Raises ValueError where it does so for a part of it only."""
    named = [name for name in EMULATORS if os.environ.get(name)]
    if named and len(named) < len(EMULATORS):
        missing = ", ".join(sorted({*EMULATORS} - {*named}))
        raise ValueError(f"{', '.join(named)} points at a local cloud, but {missing} is not set: see `dropmerge env`")
    return bool(named)


@dataclass(frozen=True)
class Clients:
    project: str
    region: str

    @cached_property
    def credentials(self) -> Any:
        """Raises GoogleAuthError."""
        if emulated():
            return AnonymousCredentials()  # type: ignore[no-untyped-call]
        return google.auth.default(scopes=_SCOPES, quota_project_id=self.project)[0]

    @cached_property
    def warehouse(self) -> Warehouse:
        return Warehouse(bigquery.Client(self.project, self.credentials, location=self.region), _SECONDS)

    @cached_property
    def storage(self) -> Client:
        return Client(self.project, self.credentials)

    def storage_as_ingest(self, bucket: str) -> Client:
        """One that may read and create this bucket's objects and no more, as ingest's identity may in the archive."""
        return Client(self.project, self.credentials if emulated() else _as_ingest(self.credentials, bucket))

    @cached_property
    def publisher(self) -> PublisherClient:
        return PublisherClient() if emulated() else PublisherClient(credentials=self.credentials)

    @cached_property
    def subscriber(self) -> SubscriberClient:
        return SubscriberClient() if emulated() else SubscriberClient(credentials=self.credentials)


def _as_ingest(credentials: Credentials, bucket: str) -> Credentials:
    rule = downscoped.AccessBoundaryRule(f"//storage.googleapis.com/projects/_/buckets/{bucket}", _OF_INGEST)  # type: ignore[no-untyped-call]
    return downscoped.Credentials(credentials, downscoped.CredentialAccessBoundary([rule]))  # type: ignore[no-untyped-call]


def missing(clients: Clients) -> list[str]:
    """What the probe needs and the project or the credentials lack, one sentence each."""
    if emulated():
        return []
    try:
        session = AuthorizedSession(clients.credentials)  # type: ignore[no-untyped-call]
    except GoogleAuthError as error:
        return [f"no usable Google credentials: gcloud auth application-default login; {error}"]
    return lacks(preflight.Project(session, clients.project))


def lacks(project: preflight.Project) -> list[str]:
    """As `missing`, of credentials that can be used."""
    try:
        apis = project.missing_apis([f"{one}.googleapis.com" for one in APIS])
        permissions = project.missing_permissions(PERMISSIONS)
    except (GoogleAuthError, requests.RequestException) as error:
        return [f"cannot read project {project.project}: {error}"]
    enable = [f"API {one} is not enabled: gcloud services enable {one} --project {project.project}" for one in apis]
    return [*enable, *(f"your credentials lack the permission {one}" for one in permissions)]
