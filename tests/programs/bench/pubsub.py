"""Messages per second through the local Pub/Sub, which writes each to its database before it answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.harness.pubsub import RunningServer
from tests.programs.bench.figures import Figure, Found, found
from tests.programs.bench.options import Options

_MESSAGES, _BATCH, _AT_ONCE = 20_000, 100, 4
_PER_SECOND = 2000


def measure(options: Options) -> Found:
    """Published, pulled and acknowledged, one after the other and by four clients at once."""
    messages = options.pick(_MESSAGES, _MESSAGES // 5) // _BATCH * _BATCH or _BATCH
    published, delivered, both = [], [], []
    is_right = True
    for _ in range(options.times):
        with TemporaryDirectory(prefix="dropmerge-bench-") as name:
            server = RunningServer(Path(name))
            try:
                seconds, was_right = _pass_through(server, messages)
            finally:
                server.end()
        published.append(messages / seconds[0])
        delivered.append(messages / seconds[1])
        both.append(messages / sum(seconds))
        is_right = is_right and was_right
    what = f"{messages:,} messages, {_BATCH} per request"
    return found(
        [
            Figure(f"{what}: published", "local Pub/Sub", "/s", published),
            Figure(f"{what}: pulled and acknowledged", "local Pub/Sub", "/s", delivered),
            Figure(f"{what}: both", "local Pub/Sub", "/s", both, at_least=_PER_SECOND),
        ],
        is_right,
    )


def _pass_through(server: RunningServer, messages: int) -> tuple[tuple[float, float], bool]:
    """Seconds of publishing and of the rest, and whether each message came, and was acknowledged."""
    topic = server.topic()
    subscription = server.subscribe(topic)
    batches = [
        [str(number).encode() for number in range(first, first + _BATCH)] for first in range(0, messages, _BATCH)
    ]
    came: set[bytes] = set()

    def take(_: int) -> None:
        while received := server.pull(subscription, _BATCH, at_once=True):
            server.ack(subscription, received)
            came.update(one.message.data for one in received)

    def publish() -> None:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(lambda batch: server.publish(topic, *batch), batches))

    def deliver() -> None:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(take, range(_AT_ONCE)))

    seconds = (_seconds(publish), _seconds(deliver))
    return seconds, came == {one for batch in batches for one in batch} and server.backlog() == {"readers": 0}


def _seconds(work: Callable[[], None]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started
