"""What answers and what does not, what is missing, and what to do: each is looked at by itself, within seconds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLong
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from deploy.topology import SERVICES
from dropmerge.operations.connection import Connection
from dropmerge.operations.deployed import read_deployed
from dropmerge.operations.no_answer import BIGQUERY, NoAnswer
from services.merge.views import NAMES as VIEWS
from services.merge.views import view_query
from services.shared.datasets import OPS
from services.shared.tables import table, table_names

if TYPE_CHECKING:
    from google.cloud import storage

_SECONDS = 6.0
"""What each check may take. All are made at once."""
_DEPLOY = "`make deploy-foundation` makes it"
_BY_MERGE = "it is not there: merge makes it when it starts, so deploy merge"
_OF_MERGE = ("ledger", "main_tables")
"""Tables that the service makes, and not Terraform."""
_BUCKET_PERMISSIONS = {
    "landing": ("storage.objects.create", "storage.objects.get", "storage.objects.list"),
    "archive": ("storage.objects.get", "storage.objects.list"),
}
"""What commands need. https://cloud.google.com/storage/docs/access-control/iam-permissions"""
_OF_CHANGES = ("storage.objects.create",)
"""Those of them that who only looks has no use for."""
_UNSEEN = "this account may not see the subscriptions, and need not: run `dropmerge doctor` with an account that may"


@dataclass(frozen=True)
class Finding:
    what: str
    """What was looked at, such as `bucket landing`."""
    trouble: str | None
    """What is wrong with it and what to do, in a sentence; None where it is as it should be."""
    note: str = ""
    """What is there."""
    is_known: bool = True
    """False where this account may not see it, and need not."""

    @property
    def state(self) -> str:
        """OK, WRONG or UNKNOWN."""
        return "WRONG" if self.trouble else "OK" if self.is_known else "UNKNOWN"


Check = Callable[[Connection], Iterator[Finding]]


def examine(connection: Connection) -> list[Finding]:
    """Of the contracts, buckets, queues, tables and services; whatever is down, the others are looked at.

    A check that fails, or does not end in time, is a finding too.
    """
    checks: Mapping[str, Check] = {
        "contracts": _contracts,
        **{f"bucket {name}": partial(_bucket, name=name) for name in ("landing", "archive")},
        "Pub/Sub": _messaging,
        "BigQuery": _warehouse,
        **{f"service {name}": partial(_service, name=name) for name in SERVICES},
        "deployed contracts": _deployed,
    }
    pool = ThreadPoolExecutor(len(checks))
    ends_at = time.monotonic() + _SECONDS
    # A connection of its own for each: Google's clients are made within, and one that hangs holds up no other.
    begun = {what: pool.submit(_run, check, replace(connection, ends_at=ends_at)) for what, check in checks.items()}
    found = []
    for what, future in begun.items():
        try:
            found += future.result(max(0.1, ends_at + 2.0 - time.monotonic()))
        except TooLong:
            found.append(Finding(what, f"no answer within {_SECONDS:.0f} s: is this machine online?"))
        except NoAnswer as error:
            found.append(Finding(what, str(error).replace("\n", "; ")))
        except Exception as error:
            found.append(Finding(what, f"{type(error).__name__}: {error}"))
    pool.shutdown(wait=False, cancel_futures=True)
    return found


def _run(check: Check, connection: Connection) -> list[Finding]:
    return list(check(connection))


def _contracts(connection: Connection) -> Iterator[Finding]:
    feeds = connection.feeds
    trouble = None if feeds else f"there is none in {connection.feeds_folder}: `dropmerge feeds init FILE` drafts one"
    yield Finding("contracts", trouble, f"{len(feeds)} in {connection.feeds_folder}")


def _bucket(connection: Connection, name: str) -> Iterator[Finding]:
    bucket = connection.storage.bucket(connection.landing if name == "landing" else connection.archive)
    what = f"bucket {name}"
    wanted = [one for one in _BUCKET_PERMISSIONS[name] if connection.may_lease or one not in _OF_CHANGES]
    granted = _granted(bucket, wanted)
    if granted is None:
        how = _DEPLOY if not BIGQUERY.emulator else "`dropmerge up` makes it"
        yield Finding(what, f"gs://{bucket.name} is not there: {how}")
        return
    lacking = [one for one in wanted if one not in granted]
    trouble = f"this account lacks {', '.join(lacking)} on gs://{bucket.name}: have them granted" if lacking else None
    yield Finding(what, trouble, f"gs://{bucket.name}")


def _granted(bucket: storage.Bucket, wanted: Sequence[str]) -> Sequence[str] | None:
    """Those that this account has; None where there is no such bucket.

    To ask that takes no permission, unlike to see the bucket itself:
    https://cloud.google.com/storage/docs/json_api/v1/buckets/testIamPermissions
    """
    from google.api_core.exceptions import NotFound

    if BIGQUERY.emulator:
        return wanted if bucket.exists(timeout=_SECONDS) else None
    try:
        granted: Sequence[str] = bucket.test_iam_permissions(wanted, timeout=_SECONDS)
    except NotFound:
        return None
    return granted


def _messaging(connection: Connection) -> Iterator[Finding]:
    from google.api_core.exceptions import NotFound, PermissionDenied

    client, missing = connection.subscriber, []
    for name in connection.topology.subscriptions:
        path = client.subscription_path(connection.project, name)
        try:
            client.get_subscription(subscription=path, timeout=_SECONDS, retry=None)
        except NotFound:
            missing.append(name)
        except PermissionDenied:
            if connection.may_lease:
                raise
            yield Finding("Pub/Sub", None, _UNSEEN, is_known=False)
            return
    how = "`dropmerge up` makes them" if BIGQUERY.emulator else "`make deploy-foundation` and the services' make them"
    trouble = f"subscriptions are missing: {', '.join(missing)}; {how}" if missing else None
    yield Finding("Pub/Sub", trouble, f"{len(connection.topology.subscriptions)} subscriptions")


def _warehouse(connection: Connection) -> Iterator[Finding]:
    warehouse = connection.warehouse
    for name in table_names():
        wanted = table(connection.project, name)
        found = warehouse.find_table(str(wanted.reference))
        yield Finding(f"table {OPS}.{name}", _trouble(name, wanted, found))
    for name in VIEWS:
        found = warehouse.find_table(f"{connection.project}.{OPS}.{name}")
        trouble = None
        if found is None:
            trouble = _BY_MERGE
        elif found.view_query and found.view_query.strip() != view_query(connection.project, name):
            trouble = "it is of another release than these commands: deploy merge"
        yield Finding(f"view {OPS}.{name}", trouble)


def _trouble(name: str, wanted: Any, found: Any) -> str | None:
    if found is None:
        by_foundation = "`dropmerge up` makes it" if BIGQUERY.emulator else _DEPLOY
        return _BY_MERGE if name in _OF_MERGE else f"it is not there: {by_foundation}"
    names = {field.name for field in found.schema}
    lacking = [field.name for field in wanted.schema if field.name not in names]
    return f"it lacks {', '.join(lacking)}, so it is of an earlier release: deploy merge" if lacking else None


def _service(connection: Connection, name: str) -> Iterator[Finding]:
    what = f"service {name}"
    if not BIGQUERY.emulator:
        yield from _started(connection, name)
        return
    url = os.environ.get(f"DROPMERGE_{name.upper()}_URL", "")
    try:
        with urlopen(url, timeout=_SECONDS):  # noqa: S310 - of our own record of the local cloud
            yield Finding(what, None, url)
    except (OSError, ValueError) as error:
        yield Finding(what, f"{url or 'its address'} does not answer ({error}): `dropmerge up` starts it")


def _started(connection: Connection, name: str) -> Iterator[Finding]:
    """A function on Google Cloud takes calls of its push identity only: its own report of its last start has to do."""
    since = read_deployed(connection).since.get(name)
    trouble = None if since else f"the journal has no start of it: `make deploy-{name}`"
    yield Finding(f"service {name}", trouble, f"started {since:%Y-%m-%d %H:%M:%S} UTC" if since else "")


def _deployed(connection: Connection) -> Iterator[Finding]:
    differences = "; ".join(read_deployed(connection).differences())
    how = "`dropmerge up --restart`" if BIGQUERY.emulator else "deploy merge, then ingest"
    yield Finding("deployed contracts", f"{differences}: {how}" if differences else None, "as on disk")
