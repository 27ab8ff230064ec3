"""The one Cloud Monitoring question the operators' commands ask: how many messages are not acknowledged.

Google samples this every minute and shows it some minutes late; here it is the number of this moment.
"""

import re
from datetime import UTC, datetime
from typing import Any

from google.cloud.monitoring_v3 import types

from .catalog import Catalog, Subscription
from .errors import invalid
from .names import check_project, split_name
from .queue import Queue
from .rpc import service, unary

UNDELIVERED = "pubsub.googleapis.com/subscription/num_undelivered_messages"
_CONDITION = re.compile(r'\s*([\w.]+)\s*=\s*"([^"]*)"\s*')


class Metrics:
    """google.monitoring.v3.MetricService, as far as ListTimeSeries of one metric."""

    def __init__(self, catalog: Catalog, queue: Queue) -> None:
        self._catalog = catalog
        self._queue = queue

    def handlers(self) -> Any:
        """The gRPC service."""
        method = unary(self.list_time_series, types.ListTimeSeriesRequest, types.ListTimeSeriesResponse)
        return service("google.monitoring.v3.MetricService", {"ListTimeSeries": method})

    def list_time_series(self, request: types.ListTimeSeriesRequest, _: Any) -> types.ListTimeSeriesResponse:
        """One series with one point for every subscription of the project that the filter lets through."""
        check_project(request.name)
        wanted = wanted_subscription(request.filter)
        found = [
            held
            for held in self._catalog.subscriptions()
            if held.name.startswith(f"{request.name}/") and wanted in (None, split_name(held.name)[1])
        ]
        return types.ListTimeSeriesResponse(time_series=[self._series(held) for held in found])

    def _series(self, held: Subscription) -> types.TimeSeries:
        project, short = split_name(held.name)
        labels = {"project_id": project, "subscription_id": short}
        now = datetime.now(tz=UTC)
        return types.TimeSeries(
            {
                "metric": {"type": UNDELIVERED},
                "resource": {"type": "pubsub_subscription", "labels": labels},
                "metric_kind": "GAUGE",
                "value_type": "INT64",
                "points": [
                    {
                        "interval": {"start_time": now, "end_time": now},
                        "value": {"int64_value": self._queue.backlog(held)},
                    }
                ],
            }
        )


def wanted_subscription(text: str) -> str | None:
    """The subscription id a monitoring filter asks for, None for all; other filters are INVALID_ARGUMENT."""
    conditions: dict[str, str] = {}
    for part in text.split(" AND "):
        match = _CONDITION.fullmatch(part)
        if match is None:
            raise invalid(f'Cannot read "{part}" in the filter: expected name = "value" joined by AND.')
        conditions[match[1].replace("resource.label.", "resource.labels.")] = match[2]
    if conditions.pop("metric.type", None) != UNDELIVERED:
        raise invalid(f'The only metric here is metric.type = "{UNDELIVERED}".')
    if conditions.pop("resource.type", "pubsub_subscription") != "pubsub_subscription":
        raise invalid('The only resource here is resource.type = "pubsub_subscription".')
    wanted = conditions.pop("resource.labels.subscription_id", None)
    if conditions:
        raise invalid(f"Cannot filter on {sorted(conditions)}.")
    return wanted
