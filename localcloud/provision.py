"""Creates on the local servers what deploy/topology.yaml asks for, with Google's own clients; safe to repeat."""

import json
from collections.abc import Callable
from typing import Any

from deploy.topology import ROOT, Settings, Topology
from localcloud import environment

_DAY_MS = 24 * 3600 * 1000
_TIMEOUT = 20.0
_SHARED = ROOT / "services" / "shared"


def create_messaging(
    topology: Topology, pubsub_host: str, push_url: Callable[[str], str], to_tables: bool = True
) -> None:
    """Creates topics and subscriptions, and updates existing subscriptions, since ports may have changed.

    `pubsub_host` is host:port; `push_url` gives a service's URL. `to_tables`: also the subscriptions that write to a
    table, which must be there; another emulator than ours may not know them.
    """
    # Slow to import: done here, not when the command starts.
    import grpc
    from google.cloud.pubsub_v1 import PublisherClient, SubscriberClient
    from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
    from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

    with grpc.insecure_channel(pubsub_host, options=[("grpc.enable_http_proxy", 0)]) as channel:
        publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        for topic in topology.topics:
            _topic(publisher, topic)
        for name, settings in topology.subscriptions.items():
            if "to_table" in settings and not to_tables:
                continue
            _subscription(subscriber, _subscription_request(name, settings, push_url))


def _topic(publisher: Any, name: str) -> None:
    from google.api_core.exceptions import AlreadyExists

    try:
        publisher.create_topic(name=_topic_path(name), timeout=_TIMEOUT)
    except AlreadyExists:
        return


def _subscription(subscriber: Any, request: Settings) -> None:
    from google.api_core.exceptions import AlreadyExists

    try:
        subscriber.create_subscription(request=request, timeout=_TIMEOUT)
    except AlreadyExists:
        changed = {"paths": [field for field in request if field not in ("name", "topic")]}
        update = {"subscription": request, "update_mask": changed}
        subscriber.update_subscription(request=update, timeout=_TIMEOUT)


def _subscription_request(name: str, settings: Settings, push_url: Callable[[str], str]) -> Settings:
    request: Settings = {
        "name": f"projects/{environment.PROJECT}/subscriptions/{name}",
        "topic": _topic_path(settings["topic"]),
        "ack_deadline_seconds": settings["ack_deadline_seconds"],
        "message_retention_duration": {"seconds": settings["retention_seconds"]},
        "expiration_policy": {},  # without a ttl: never
    }
    if "push_to" in settings:
        request["push_config"] = {"push_endpoint": push_url(settings["push_to"])}
    if "to_table" in settings:
        request["bigquery_config"] = {"table": f"{environment.PROJECT}.{settings['to_table']}", "write_metadata": True}
    if retry := settings.get("retry"):
        request["retry_policy"] = {
            "minimum_backoff": {"seconds": retry["minimum_backoff_seconds"]},
            "maximum_backoff": {"seconds": retry["maximum_backoff_seconds"]},
        }
    if dead := settings.get("dead_letter"):
        request["dead_letter_policy"] = {
            "dead_letter_topic": _topic_path(dead["topic"]),
            "max_delivery_attempts": dead["max_delivery_attempts"],
        }
    return request


def _topic_path(name: str) -> str:
    return f"projects/{environment.PROJECT}/topics/{name}"


def create_buckets(topology: Topology, url: str) -> None:
    """Creates the buckets that do not exist yet."""
    from google.api_core.exceptions import Conflict
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    client = storage.Client(environment.PROJECT, AnonymousCredentials(), client_options={"api_endpoint": url})  # type: ignore[no-untyped-call]
    for name in topology.buckets:
        try:
            client.create_bucket(name, timeout=_TIMEOUT)
        except Conflict:
            continue


def create_datasets(topology: Topology, url: str) -> None:
    """Creates the datasets that do not exist yet."""
    from google.cloud import bigquery

    client = _warehouse(url)
    for name, settings in topology.datasets.items():
        dataset = bigquery.Dataset(f"{environment.PROJECT}.{name}")
        dataset.location = "US"
        if days := settings.get("table_expiration_days"):
            dataset.default_table_expiration_ms = days * _DAY_MS
        client.create_dataset(dataset, exists_ok=True, timeout=_TIMEOUT)


def create_tables(topology: Topology, url: str) -> None:
    """Creates the tables that subscriptions write to, from the files that Terraform reads."""
    from google.cloud import bigquery

    client = _warehouse(url)
    for name in sorted({one["to_table"] for one in topology.subscriptions.values() if "to_table" in one}):
        file = _SHARED / "tables" / f"{name.partition('.')[2]}.json"
        schema = json.loads(file.read_text(encoding="utf-8"))["schema"]
        fields = [bigquery.SchemaField.from_api_repr(field) for field in schema]
        client.create_table(bigquery.Table(f"{environment.PROJECT}.{name}", fields), exists_ok=True, timeout=_TIMEOUT)


def _warehouse(url: str) -> Any:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import bigquery

    options = {"api_endpoint": url}
    return bigquery.Client(environment.PROJECT, AnonymousCredentials(), client_options=options)  # type: ignore[no-untyped-call]
