"""The clients that the commands share: the local cloud's, or Google's with `--project`.

Google's libraries take a second or two to import. They are imported by who first uses them, so that help and
the shell's completion answer at once.
"""

from __future__ import annotations

import math
import os
import pwd
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy import topology
from deploy.topology import ARCHIVE, LANDING, Topology
from dropmerge.operations.errors import NotDone, UsageError
from dropmerge.operations.light_imports import import_bigquery
from dropmerge.operations.main_tables import MainTables
from dropmerge.operations.no_answer import BIGQUERY, MONITORING, PUBSUB, STORAGE, Api
from dropmerge.operations.queries import statement
from services.shared.contract.glob import first_match
from services.shared.contract.pattern import feed_for
from services.shared.datasets import OPS, STAGING
from services.shared.errors import NotFoundError, PermanentError

if TYPE_CHECKING:
    from google.api_core.retry import Retry
    from google.cloud import bigquery, pubsub_v1, storage

    from dropmerge.operations.session import Session
    from services.shared.contract.feed import Feed
    from services.shared.journal import Journal, Operation
    from services.shared.publisher import Publisher
    from services.shared.warehouse import Parameters, Warehouse

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_HTTP_TIMEOUT = 60.0
_LOCATION = "DROPMERGE_LOCATION"
"""Of BigQuery's jobs, for an account that may not ask for the dataset."""
RETRY_SECONDS = 8.0
"""How long a command goes on with what fails for a moment."""


def _say_nothing(_: str) -> None:
    """Where nobody waits."""


@dataclass(frozen=True)
class Connection:
    project: str
    feeds_folder: Path
    bucket_prefix: str = ""
    """On Google Cloud the names of buckets are global: there they begin with the project's."""
    ends_at: float = math.inf
    """When the command's own time is over, by time.monotonic()."""
    say: Callable[[str], None] = _say_nothing
    """What to do with a line on a wait that takes long, for the person who waits."""
    may_lease: bool = True
    """Whether to read the subscriptions of dead letters where their table may lack some: what reads takes leases, so
    that no command can act on them meanwhile. False where somebody only looks: on the console page."""

    operation: Operation | None = None
    """Under which changes are recorded; the account's own where there is none."""

    @cached_property
    def topology(self) -> Topology:
        """With the names that topics and subscriptions have where this command asks for them."""
        return topology.read() if PUBSUB.emulator else topology.read().on_google()

    @cached_property
    def feeds(self) -> Mapping[str, Feed]:
        from services.shared.contract.reader import read_feeds

        return read_feeds(self.feeds_folder)

    @property
    def landing(self) -> str:
        """The bucket that files are dropped in."""
        return os.environ.get("DROPMERGE_LANDING_BUCKET") or f"{self.bucket_prefix}{LANDING}"

    @property
    def landing_prefix(self) -> str:
        """Objects whose names begin so are for the feeds; others are ignored."""
        return str(self.topology.buckets[LANDING]["prefix"])

    def ignored_by(self, object_name: str) -> str | None:
        """The topology's pattern by which an object is ignored, whichever feed's pattern it fits; None without one."""
        return first_match(self.topology.buckets[LANDING]["ignore"], object_name)

    def feed_of(self, object_name: str) -> Feed | None:
        """The feed that wants an object; None where none does, or where its name is one to ignore."""
        return None if self.ignored_by(object_name) else feed_for(self.feeds, object_name)

    @property
    def archive(self) -> str:
        """The bucket of pinned copies."""
        return os.environ.get("DROPMERGE_ARCHIVE_BUCKET") or f"{self.bucket_prefix}{ARCHIVE}"

    @cached_property
    def storage(self) -> storage.Client:
        from google.cloud import storage

        session = self._session(STORAGE)
        return storage.Client(project=self.project, credentials=session.credentials, _http=session)

    @cached_property
    def warehouse(self) -> Warehouse:
        import_bigquery()
        from google.cloud.bigquery import Client

        from services.shared.labels import service_labels
        from services.shared.warehouse import Warehouse, query_defaults

        session = self._session(BIGQUERY)
        defaults = query_defaults(service_labels("console"))
        client = partial(
            Client, self.project, credentials=session.credentials, default_query_job_config=defaults, _http=session
        )
        location = os.environ.get(_LOCATION) or self._location_of_ops(client())
        return Warehouse(client(location=location), 300.0)

    def _location_of_ops(self, client: bigquery.Client) -> str:
        """Where the datasets are, which every job has to name. Raises NotDone where there are none.

        To get a dataset takes no location (https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets/get).
        """
        from google.api_core.exceptions import NotFound

        try:
            return str(client.get_dataset(OPS, retry=self.retry, timeout=_HTTP_TIMEOUT).location)
        except NotFound as error:
            raise self._not_deployed(str(error.message)) from error

    def _not_deployed(self, why: str) -> NotDone:
        how = "`dropmerge up` makes it" if BIGQUERY.emulator else "`make deploy-foundation` makes it"
        if location := os.environ.get(_LOCATION):
            how = f"{_LOCATION} says {location}; without it the dataset says where it is"
        return NotDone(f"there is no dataset {self.project}.{OPS} ({why}): is this the right project? {how}")

    @cached_property
    def journal(self) -> Journal:
        """In which everything that this command changes has its account and one id."""
        import structlog

        from services.shared.journal import Journal, Operation

        # What a command prints is its answer, nothing else.
        structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
        operation = self.operation or Operation(self._account())
        return Journal(self.warehouse.client, "console", operation)

    def _account(self) -> str:
        """Whose credentials these are, as BigQuery sees it; on a local cloud the process's user.

        Neither can be set by a variable of the environment, as the name in LOGNAME can
        (https://cloud.google.com/bigquery/docs/reference/standard-sql/security_functions#session_user).
        """
        if BIGQUERY.emulator:
            try:
                return pwd.getpwuid(os.getuid()).pw_name
            except KeyError:  # in a container, of a user that has no name
                return f"uid {os.getuid()}"
        return str(self.warehouse.query(statement("account.sql"))[0]["account"])

    @cached_property
    def publisher(self) -> Publisher:
        from google.cloud.pubsub_v1 import PublisherClient

        from services.shared.publisher import Publisher

        self._require_bus()
        return Publisher(PublisherClient(), self.project, RETRY_SECONDS)

    @cached_property
    def subscriber(self) -> pubsub_v1.SubscriberClient:
        import grpc
        from google.cloud import pubsub_v1
        from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

        self._require_bus()
        emulator = os.environ.get("PUBSUB_EMULATOR_HOST")
        if emulator:
            # The client's own channel to an emulator takes 4 MB in one answer, and a message may have 10.
            channel = grpc.insecure_channel(emulator, options=[("grpc.max_receive_message_length", -1)])
            return pubsub_v1.SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        return pubsub_v1.SubscriberClient()

    @cached_property
    def _metrics(self) -> Session:
        return self._session(MONITORING)

    @cached_property
    def retry(self) -> Retry:
        """For calls whose clients would go on for a minute without a word."""
        from google.api_core.retry import Retry

        return Retry(timeout=RETRY_SECONDS)

    def _require_bus(self) -> None:
        """Raises NoAnswer. A gRPC client would try for a minute before it says so."""
        if PUBSUB.is_local and MONITORING.emulator:
            self._metrics.get(f"{MONITORING.emulator}/", timeout=_HTTP_TIMEOUT)

    def _session(self, api: Api) -> Session:
        import google.auth
        from google.auth.credentials import AnonymousCredentials

        from dropmerge.operations.session import Session

        credentials = AnonymousCredentials() if api.emulator else google.auth.default(scopes=_SCOPES)[0]  # type: ignore[no-untyped-call]
        return Session(credentials, api, self.ends_at, self.say)

    def job_link(self, job_id: str) -> str:
        """Where to open a job in Google's console; its id alone on a local cloud."""
        if BIGQUERY.emulator:
            return job_id
        job = f"bq:{self.warehouse.client.location}:{job_id}"
        return f"https://console.cloud.google.com/bigquery?project={self.project}&j={job}&page=queryresults"

    def undelivered(self, subscription: str) -> int:
        """Messages not yet acknowledged. On Google Cloud the figure is some minutes old."""
        series = self.time_series("num_undelivered_messages", subscription)
        return sum(int(one["points"][0]["value"]["int64Value"]) for one in series if one.get("points"))

    def time_series(self, metric: str, subscription: str | None = None) -> list[Any]:
        """One of Pub/Sub's metrics of subscriptions, by its name's last part: a series of each or of this one, with
        the points of the last quarter of an hour, the latest first
        (https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list)."""
        from google.api_core.exceptions import from_http_response

        now = datetime.now(UTC)
        url = f"{MONITORING.emulator or f'https://{MONITORING.host}'}/v3/projects/{self.project}/timeSeries"
        which = f' AND resource.labels.subscription_id = "{subscription}"' if subscription else ""
        asked = {
            "filter": f'metric.type = "pubsub.googleapis.com/subscription/{metric}"{which}',
            "interval.startTime": (now - timedelta(minutes=15)).isoformat(),
            "interval.endTime": now.isoformat(),
        }

        def ask() -> Any:
            response = self._metrics.get(url, params=asked, timeout=_HTTP_TIMEOUT)
            if not response.ok:
                raise from_http_response(response)  # type: ignore[no-untyped-call]
            return response.json()

        return list(self.retry(ask)().get("timeSeries", []))

    def rows(self, sql: str, parameters: Parameters | None = None) -> list[Any]:
        """A query's rows; none where a table or a feed's dataset is not there yet. Raises NotDone."""
        try:
            return self.warehouse.query(sql, parameters)
        except NotFoundError as error:
            self._require_ops(error)
            return []
        except PermanentError as error:
            if "rejected_at" in error.detail:
                raise NotDone(
                    f"{OPS}.rejected_rows is of an earlier release: merge upgrades it when it starts, so deploy merge"
                ) from error
            if "happened_at" in error.detail:
                raise NotDone(
                    f"{OPS}.journal is of an earlier release: merge upgrades it when it starts, so deploy merge"
                ) from error
            raise

    def query(self, name: str, parameters: Parameters | None = None, **identifiers: Any) -> list[Any]:
        """The rows of a statement in `queries/`; none where a table or a feed's dataset is not there yet."""
        return self.rows(statement(name, **identifiers), parameters)

    def stream(
        self, name: str, parameters: Parameters | None = None, page: int = 10_000, **identifiers: Any
    ) -> Iterator[Any]:
        """As `query`, with a page of the rows in memory."""
        try:
            yield from self.warehouse.stream(statement(name, **identifiers), parameters, page)
        except NotFoundError as error:
            self._require_ops(error)

    def _require_ops(self, error: NotFoundError) -> None:
        """Raises NotDone where the dataset itself is not found: it is not there, or not in that location."""
        if re.search(rf"Dataset \S+[:.]{OPS}\b", error.detail):
            raise self._not_deployed(error.detail) from error

    def ledger(self, name: str, parameters: Parameters | None = None, **identifiers: Any) -> list[Any]:
        """The rows of a statement in `queries/` that asks the ledger. Raises NotDone."""
        return self.query(name, {**(parameters or {}), **self.main_tables.parameters()}, **identifiers)

    @cached_property
    def main_tables(self) -> MainTables:
        return MainTables(self.warehouse, self.feeds)

    def staging_tables(self) -> list[str]:
        """Names of the tables on their way to a main table; none where there is no such dataset yet."""
        try:
            return self.warehouse.list_tables(STAGING, "")
        except NotFoundError:
            return []

    def feed(self, name: str | None) -> Feed:
        """The feed of this name, or the only one. Raises UsageError."""
        names = ", ".join(self.feeds)
        if name is None and len(self.feeds) > 1:
            raise UsageError(f"several feeds: name one with --feed ({names})")
        found = self.feeds.get(name) if name else next(iter(self.feeds.values()))
        if found is None:
            raise UsageError(f"no feed {name!r}; there are: {names}")
        return found

    def is_unwanted(self, object_name: str) -> bool:
        """Whether no feed has to want an object and none does: a folder's placeholder, a name to ignore, or one that
        lies outside the landing prefix."""
        is_elsewhere = not object_name.startswith(self.landing_prefix) and self.feed_of(object_name) is None
        return object_name.endswith("/") or self.ignored_by(object_name) is not None or is_elsewhere
