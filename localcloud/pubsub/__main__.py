"""`python -m localcloud.pubsub --port N --data DIR`: run the Pub/Sub emulator until SIGTERM or SIGINT."""

import argparse
import logging
import signal
import sys
from pathlib import Path

from localcloud.pubsub.database import DataInUseError
from localcloud.pubsub.errors import PortInUseError
from localcloud.pubsub.server import Server

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bus", description="Pub/Sub emulator for this machine.")
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one and prints it")
    parser.add_argument("--metrics-port", type=int, default=0, help="of the metrics, over HTTP; 0 takes a free one")
    parser.add_argument("--data", type=Path, required=True, help="folder of bus.sqlite")
    parser.add_argument("--warehouse", default="", metavar="URL", help="that BigQuery subscriptions write to")
    parser.add_argument(
        "--places",
        type=_places,
        action="append",
        default=[],
        metavar="SUBSCRIPTION=N",
        help="how many pushes its service takes at once; any number without it",
    )
    parser.add_argument(
        "--retry-speed", type=float, default=1.0, metavar="N", help="pauses between tries are N times shorter"
    )
    # It authenticates nobody, so no other machine may reach it.
    parser.add_argument("--host", choices=_LOOPBACK, default="127.0.0.1")
    return parser.parse_args()


def _places(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    return name, int(number)


def main() -> int:
    """Serves until a signal; returns the exit code, 0 after a signal, 1 when the port or the data folder is taken."""
    arguments = _arguments()
    logging.basicConfig(level=logging.WARNING, format="bus: %(message)s", stream=sys.stderr)
    # Held back for sigwait, in every thread. A handler that sets an Event could wait forever for the Event's own lock.
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        server = Server(
            arguments.host, arguments.port, arguments.metrics_port, arguments.data, arguments.warehouse,
            dict(arguments.places), arguments.retry_speed,
        )  # fmt: skip
    except (PortInUseError, DataInUseError) as error:
        print(f"bus: {error}", file=sys.stderr)
        return 1
    server.start()
    where = f"{arguments.host}:{server.port}, metrics on {server.metrics.port}"
    print(f"bus ready on {where}, data in {arguments.data}", flush=True)
    signal.sigwait(signals)
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
