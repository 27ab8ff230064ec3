"""The clients that the commands share: the local cloud's, or Google's with `--project`."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, NoReturn

import grpc
import typer
import yaml
from google.api_core import exceptions as google
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery, monitoring_v3, pubsub_v1, storage  # type: ignore[attr-defined]  # has no types
from google.cloud.monitoring_v3.services.metric_service.transports import MetricServiceGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from deploy.local.cloud import LocalCloud
from deploy.local.errors import CloudError
from services.shared.feed import BadContract, Feed, read_feeds
from services.shared.journal import Journal
from services.shared.warehouse import Parameters, Warehouse, connect

ROOT = Path(__file__).resolve().parents[2]

State = Annotated[
    Path, typer.Option("--state", envvar="DROPMERGE_STATE", help="The folder the local cloud is kept in.")
]
HERE = Path(".local")
Project = Annotated[str | None, typer.Option("--project", help="A Google Cloud project, instead of the local cloud.")]
Feeds = Annotated[Path, typer.Option("--feeds", envvar="DROPMERGE_FEEDS", help="The folder of contracts.")]
FEEDS = ROOT / "deploy" / "feeds"
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Rate = Annotated[float | None, typer.Option("--rate", min=0.001, help="Messages a second at most.")]


def fail(text: object, code: int = 1) -> NoReturn:
    typer.echo(str(text), err=True)
    raise typer.Exit(code)


def ask(question: str, yes: bool) -> None:
    """A question where a person can answer it; a no ends the command with exit code 1, nothing changed."""
    if not yes and sys.stdin.isatty():
        typer.confirm(question, abort=True, err=True)


def who() -> str:
    """For the journal: the account that runs the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


@contextmanager
def errors_in_words() -> Iterator[None]:
    """Google's errors and bad contracts as one line and exit code 1."""
    try:
        yield
    except google.Forbidden as error:
        fail(f"{error}\nThe account that runs this command lacks that permission.")
    except (google.GoogleAPIError, BadContract, CloudError) as error:
        fail(error)
    except GoogleAuthError as error:
        fail(f"{error}\nLog in with `gcloud auth application-default login`.")
    except ConnectionError as error:
        fail(f"{error}\nIs the local cloud up? `dropmerge up` starts what is missing.")


@dataclass(frozen=True)
class Connection:
    project: str
    feeds_folder: Path

    @cached_property
    def topology(self) -> Mapping[str, Any]:
        return dict(yaml.safe_load((ROOT / "deploy" / "topology.yaml").read_text(encoding="utf-8")))

    @cached_property
    def feeds(self) -> Mapping[str, Feed]:
        return read_feeds(self.feeds_folder)

    @property
    def landing(self) -> str:
        return os.environ.get("DROPMERGE_LANDING_BUCKET", "landing")

    @property
    def archive(self) -> str:
        return os.environ.get("DROPMERGE_ARCHIVE_BUCKET", "archive")

    @cached_property
    def storage(self) -> storage.Client:
        return storage.Client(project=self.project)

    @cached_property
    def warehouse(self) -> Warehouse:
        client: bigquery.Client = connect(self.project, os.environ.get("DROPMERGE_LOCATION", "US"))
        return Warehouse(client, 300.0)

    @cached_property
    def journal(self) -> Journal:
        return Journal(self.warehouse.client, "ops", "console")

    @cached_property
    def publisher(self) -> pubsub_v1.PublisherClient:
        return pubsub_v1.PublisherClient()

    @cached_property
    def subscriber(self) -> pubsub_v1.SubscriberClient:
        emulator = os.environ.get("PUBSUB_EMULATOR_HOST")
        if emulator:
            # The client's own channel to an emulator takes 4 MB in one answer, and a message may have 10.
            channel = grpc.insecure_channel(emulator, options=[("grpc.max_receive_message_length", -1)])
            return pubsub_v1.SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        return pubsub_v1.SubscriberClient()

    @cached_property
    def _metrics(self) -> monitoring_v3.MetricServiceClient:
        emulator = os.environ.get("PUBSUB_EMULATOR_HOST")
        if emulator:
            channel = grpc.insecure_channel(emulator)
            return monitoring_v3.MetricServiceClient(transport=MetricServiceGrpcTransport(channel=channel))
        return monitoring_v3.MetricServiceClient()

    def undelivered(self, subscription: str) -> int:
        """Messages not yet acknowledged. On Google Cloud the figure is some minutes old."""
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
        except google.NotFound:
            return []

    def feed(self, name: str | None) -> Feed:
        """The feed of this name, or the only one; anything else is a mistake on the command line."""
        names = ", ".join(self.feeds)
        if name is None and len(self.feeds) > 1:
            fail(f"several feeds: name one with --feed ({names})", 2)
        found = self.feeds.get(name) if name else next(iter(self.feeds.values()))
        if found is None:
            fail(f"no feed {name!r}; there are: {names}", 2)
        return found


def open_connection(state: Path, project: str | None, feeds: Path = FEEDS) -> Connection:
    """Point the process at the local cloud of `state`, or at a Google Cloud project."""
    if project:
        return Connection(project, feeds)
    try:
        os.environ.update(LocalCloud(state).read())
    except CloudError as error:
        fail(error)
    return Connection(os.environ["GOOGLE_CLOUD_PROJECT"], feeds)
