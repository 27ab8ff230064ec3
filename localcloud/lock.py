"""A lock, so that one `up` or `down` at a time works on a state folder."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def is_held(state: Path) -> bool:
    """Whether an `up` or `down` is at work now."""
    try:
        with (state / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


@contextmanager
def only_one(state: Path, check: Callable[[], None], say: Callable[[str], None]) -> Iterator[None]:
    """Wait for the state's lock and hold it; `check` may raise to give up. The kernel frees it with the process."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as file:
        said = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not said:
                    say(f"another `dropmerge up` or `down` is working on {state}: waiting for it")
                said = True
                check()
                time.sleep(0.1)
        yield
