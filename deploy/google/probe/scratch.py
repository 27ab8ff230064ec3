"""The dataset, the bucket and the topic that the probe makes for itself, and removes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.storage import Blob, Bucket

from deploy.google.probe.clients import Clients
from services.shared.warehouse import Warehouse

DATASET = "dropmerge_probe"
TOPIC = "dropmerge-probe"
_DAY_MS = 24 * 3600 * 1000
_TIMEOUT = 60.0


def bucket_name(project: str) -> str:
    return f"{project}-dropmerge-probe"


@dataclass(frozen=True)
class Scratch:
    clients: Clients
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    """Names of objects begin with it."""

    @property
    def warehouse(self) -> Warehouse:
        return self.clients.warehouse

    @property
    def bucket(self) -> Bucket:
        return self.clients.storage.bucket(bucket_name(self.clients.project))

    @property
    def topic(self) -> str:
        return f"projects/{self.clients.project}/topics/{TOPIC}"

    def subscription(self, name: str) -> str:
        return f"projects/{self.clients.project}/subscriptions/{TOPIC}-{name}"

    def table(self, name: str) -> str:
        """Full name."""
        return f"{self.clients.project}.{DATASET}.{name}"

    def blob(self, name: str) -> Blob:
        return self.bucket.blob(f"{self.run}/{name}")

    def upload(self, name: str, content: bytes) -> str:
        """The object's URI."""
        self.blob(name).upload_from_string(content, timeout=_TIMEOUT)
        return self.uri(name)

    def uri(self, name: str) -> str:
        return f"gs://{self.bucket.name}/{self.run}/{name}"

    def rows(self, table: str) -> str:
        """All rows as JSON, in an order that repeats. Reading them without a query is free."""
        listed = self.warehouse.client.list_rows(table, timeout=_TIMEOUT)
        return json.dumps(sorted((list(row.values()) for row in listed), key=repr), default=str)


def leftovers(clients: Clients) -> list[str]:
    """What has a name of the scratch: another probe runs, or one was kept or killed. Each with how to remove it."""
    project, found = clients.project, []
    if _exists(lambda: clients.warehouse.client.get_dataset(f"{project}.{DATASET}")):
        found.append(f"dataset {DATASET}: bq rm -r -f --dataset {project}:{DATASET}")
    if _exists(lambda: clients.storage.get_bucket(bucket_name(project), timeout=_TIMEOUT)):
        found.append(f"bucket {bucket_name(project)}: gcloud storage rm --recursive gs://{bucket_name(project)}")
    if _exists(lambda: clients.publisher.get_topic(topic=Scratch(clients).topic)):
        found.append(f"topic {TOPIC}: gcloud pubsub topics delete {TOPIC} --project {project}")
    for name in _subscriptions(clients):
        found.append(f"subscription {name}: gcloud pubsub subscriptions delete {name} --project {project}")
    return found


def _exists(get: Any) -> bool:
    try:
        get()
    except exceptions.NotFound:
        return False
    return True


def _subscriptions(clients: Clients) -> list[str]:
    listed = clients.subscriber.list_subscriptions(project=f"projects/{clients.project}")
    names = (one.name.rpartition("/")[2] for one in listed)
    return sorted(name for name in names if name.startswith(f"{TOPIC}-"))


@contextmanager
def scratch(clients: Clients, keep: bool = False) -> Iterator[Scratch]:
    """Makes them, and removes them at the end unless they are to be kept. After a crash what is in them, such as files
    and tables, expires in a day.

    Raises GoogleAPIError where one cannot be made, or is there already; the others are removed again then.
    """
    own = Scratch(clients)
    with ExitStack() as made:
        _make(own, made)
        try:
            yield own
        finally:
            if keep:
                made.pop_all()


def _make(own: Scratch, made: ExitStack) -> None:
    """Each is created or the call fails: nothing that was there before is ever removed."""
    client, clients = own.warehouse.client, own.clients
    dataset = bigquery.Dataset(f"{clients.project}.{DATASET}")
    dataset.location = clients.region
    dataset.default_table_expiration_ms = _DAY_MS
    client.create_dataset(dataset, timeout=_TIMEOUT)
    made.callback(client.delete_dataset, dataset, delete_contents=True, not_found_ok=True, timeout=_TIMEOUT)
    bucket = own.bucket
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.iam_configuration.public_access_prevention = "enforced"
    # Else its bytes are kept, and billed, for a week after they are deleted.
    bucket.soft_delete_policy.retention_duration_seconds = 0
    bucket.add_lifecycle_delete_rule(age=1)
    clients.storage.create_bucket(bucket, location=clients.region, timeout=_TIMEOUT)
    made.callback(_remove_bucket, bucket)
    clients.publisher.create_topic(
        request={"name": own.topic, "message_retention_duration": {"seconds": 7 * 24 * 3600}}
    )
    made.callback(clients.publisher.delete_topic, topic=own.topic)
    made.callback(_remove_subscriptions, own)


def _remove_bucket(bucket: Bucket) -> None:
    for blob in bucket.list_blobs(timeout=_TIMEOUT):
        blob.delete(timeout=_TIMEOUT)
    bucket.delete(timeout=_TIMEOUT)


def _remove_subscriptions(own: Scratch) -> None:
    for name in _subscriptions(own.clients):
        path = f"projects/{own.clients.project}/subscriptions/{name}"
        own.clients.subscriber.delete_subscription(subscription=path)
