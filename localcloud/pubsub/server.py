"""Wires the parts into one server."""

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any

import grpc

from localcloud.pubsub.catalog import Catalog
from localcloud.pubsub.database import Database
from localcloud.pubsub.deliveries import Deliveries
from localcloud.pubsub.errors import PortInUseError
from localcloud.pubsub.metrics import Metrics
from localcloud.pubsub.publisher import Publisher
from localcloud.pubsub.queue import Queue
from localcloud.pubsub.signals import Signals
from localcloud.pubsub.subscriber import Subscriber
from localcloud.pubsub.tables import Tables

SWEEP_SECONDS = 5.0
# A streaming pull occupies a thread for as long as it is open, and some clients open five a subscription.
_THREADS = 256
_OPTIONS = [
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", 32 * 1024 * 1024),
    ("grpc.max_send_message_length", -1),
    # Clients keep idle streams alive with pings; the default would disconnect them for it.
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
]


class Server:
    """Bound to its ports when constructed; serves from `start` to `stop`."""

    def __init__(
        self,
        host: str,
        port: int,
        metrics_port: int,
        data: Path,
        warehouse: str = "",
        places: Mapping[str, int] = MappingProxyType({}),
        retry_speed: float = 1.0,
    ) -> None:
        """`places`: as `Deliveries`. `retry_speed`: as `Queue`."""
        self._grpc = grpc.server(ThreadPoolExecutor(_THREADS), options=_OPTIONS, maximum_concurrent_rpcs=_THREADS)
        self.port = _bind(self._grpc, host, port)
        self._database = Database(data)
        self._signals = Signals()
        catalog = Catalog(self._database)
        self._queue = Queue(self._database, catalog, self._signals, retry_speed=retry_speed)
        self._deliveries = Deliveries(catalog, self._queue, self._signals, Tables(warehouse), places)
        self.metrics = Metrics(catalog, self._queue, host, metrics_port)
        self._stopping = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep, name="sweep", daemon=True)
        self._grpc.add_generic_rpc_handlers(
            (
                Publisher(catalog, self._queue).handlers(),
                Subscriber(catalog, self._queue, self._signals, self._deliveries).handlers(),
            )
        )

    def start(self) -> None:
        """Answer requests, push and write what waits."""
        self.metrics.start()
        self._grpc.start()
        self._deliveries.refresh()
        self._sweeper.start()

    def stop(self) -> None:
        """End streams, let running requests and pushes finish within a moment, close the file."""
        self._stopping.set()
        stopped = self._grpc.stop(grace=2)
        self.metrics.stop()
        self._signals.close()
        stopped.wait()
        self._deliveries.join()
        self._sweeper.join()
        self._database.close()

    def _sweep(self) -> None:
        while True:
            self._queue.sweep()
            if self._stopping.wait(SWEEP_SECONDS):
                return


def _bind(server: Any, host: str, port: int) -> int:
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        bound = int(server.add_insecure_port(address))
    except RuntimeError as error:
        raise PortInUseError(f"cannot listen on {host} port {port}: is it taken?") from error
    if not bound:
        raise PortInUseError(f"cannot listen on {host} port {port}: is it taken?")
    return bound
