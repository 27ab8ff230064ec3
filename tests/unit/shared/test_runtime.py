"""A service is wired once, however many requests come first."""

import threading
from concurrent.futures import ThreadPoolExecutor

from services.shared.runtime import once


def test_requests_that_come_at_once_share_one_wiring() -> None:
    """Two mergers in one process would each have turns of their own."""
    together = threading.Barrier(2)
    made: list[object] = []

    @once
    def wired() -> object:
        try:
            together.wait(timeout=0.2)  # another wiring at the same time would come here too
        except threading.BrokenBarrierError:
            made.append(object())
        return made[-1]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: wired(), range(4)))
    assert found == [made[0]] * 4
    assert len(made) == 1
