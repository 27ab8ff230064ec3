"""The clients that the commands share: the local cloud's, or Google's with `--project`.

Google's libraries take a second or two to import. They are imported by who first uses them, so that help and
the shell's completion answer at once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from google.api_core import exceptions as google

from deploy.local.cloud import LocalCloud
from deploy.local.environment import ROOT
from deploy.local.errors import CloudError
from services.console.exits import fail, misused
from services.console.options import FEEDS
from services.shared.errors import Transient
from services.shared.feed import Feed, read_feeds
from services.shared.google_errors import classify

if TYPE_CHECKING:
    from google.cloud import monitoring_v3, pubsub_v1, storage  # type: ignore[attr-defined]  # has no types

    from services.shared.journal import Journal
    from services.shared.warehouse import Parameters, Warehouse


@dataclass(frozen=True)
class Connection:
    project: str
    feeds_folder: Path
    bucket_prefix: str = ""
    """On Google Cloud the names of buckets are global: there they begin with the project's."""

    @cached_property
    def topology(self) -> Mapping[str, Any]:
        return dict(yaml.safe_load((ROOT / "deploy" / "topology.yaml").read_text(encoding="utf-8")))

    @cached_property
    def feeds(self) -> Mapping[str, Feed]:
        return read_feeds(self.feeds_folder)

    @property
    def landing(self) -> str:
        return os.environ.get("DROPMERGE_LANDING_BUCKET") or f"{self.bucket_prefix}landing"

    @property
    def archive(self) -> str:
        return os.environ.get("DROPMERGE_ARCHIVE_BUCKET") or f"{self.bucket_prefix}archive"

    @cached_property
    def storage(self) -> storage.Client:
        from google.cloud import storage  # type: ignore[attr-defined]

        return storage.Client(project=self.project)

    @cached_property
    def warehouse(self) -> Warehouse:
        from services.shared.warehouse import Warehouse, connect

        return Warehouse(connect(self.project, os.environ.get("DROPMERGE_LOCATION", "US")), 300.0)

    @cached_property
    def journal(self) -> Journal:
        from services.shared.journal import Journal

        return Journal(self.warehouse.client, "ops", "console")

    @cached_property
    def publisher(self) -> pubsub_v1.PublisherClient:
        from google.cloud import pubsub_v1  # type: ignore[attr-defined]

        return pubsub_v1.PublisherClient()

    @cached_property
    def subscriber(self) -> pubsub_v1.SubscriberClient:
        import grpc
        from google.cloud import pubsub_v1  # type: ignore[attr-defined]
        from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

        emulator = os.environ.get("PUBSUB_EMULATOR_HOST")
        if emulator:
            # The client's own channel to an emulator takes 4 MB in one answer, and a message may have 10.
            channel = grpc.insecure_channel(emulator, options=[("grpc.max_receive_message_length", -1)])
            return pubsub_v1.SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        return pubsub_v1.SubscriberClient()

    @cached_property
    def _metrics(self) -> monitoring_v3.MetricServiceClient:
        import grpc
        from google.cloud import monitoring_v3
        from google.cloud.monitoring_v3.services.metric_service.transports import MetricServiceGrpcTransport

        emulator = os.environ.get("PUBSUB_EMULATOR_HOST")
        if emulator:
            channel = grpc.insecure_channel(emulator)
            return monitoring_v3.MetricServiceClient(transport=MetricServiceGrpcTransport(channel=channel))
        return monitoring_v3.MetricServiceClient()

    def undelivered(self, subscription: str) -> int:
        """Messages not yet acknowledged. On Google Cloud the figure is some minutes old."""
        from google.cloud import monitoring_v3

        now = datetime.now(UTC)
        series = self._metrics.list_time_series(
            name=f"projects/{self.project}",
            filter='metric.type = "pubsub.googleapis.com/subscription/num_undelivered_messages"'
            f' AND resource.labels.subscription_id = "{subscription}"',
            interval=monitoring_v3.TimeInterval(start_time=now - timedelta(minutes=10), end_time=now),
        )
        return sum(int(one.points[0].value.int64_value) for one in series if one.points)

    def rows(self, sql: str, parameters: Parameters | None = None) -> list[Any]:
        """A query's rows; none where a table or dataset is not there yet."""
        try:
            return self.warehouse.query(sql, parameters)
        except google.NotFound as error:
            if isinstance(classify(error), Transient):
                raise
            return []

    def feed(self, name: str | None) -> Feed:
        """The feed of this name, or the only one; anything else is a mistake on the command line."""
        names = ", ".join(self.feeds)
        if name is None and len(self.feeds) > 1:
            misused(f"several feeds: name one with --feed ({names})")
        found = self.feeds.get(name) if name else next(iter(self.feeds.values()))
        if found is None:
            misused(f"no feed {name!r}; there are: {names}")
        return found


def open_connection(state: Path, project: str | None, feeds: Path = FEEDS) -> Connection:
    """Point the process at the local cloud of `state`, or at a Google Cloud project."""
    if project:
        return Connection(project, feeds, f"{project}-")
    try:
        os.environ.update(LocalCloud(state).read())
    except CloudError as error:
        fail(error)
    return Connection(os.environ["GOOGLE_CLOUD_PROJECT"], feeds)
