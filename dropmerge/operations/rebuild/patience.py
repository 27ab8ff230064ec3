"""What may pass is tried again, for longer than a service would."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import tenacity

from services.shared.errors import TransientError

_SECONDS = 120.0
Result = TypeVar("Result")


def patiently(step: Callable[[], Result]) -> Result:
    """The step's result; it is one that is safe to repeat. Raises TransientError after two minutes."""
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransientError),
        wait=tenacity.wait_random_exponential(multiplier=0.5, max=20),
        stop=tenacity.stop_after_delay(_SECONDS),
        reraise=True,
    )
    return retrying(step)
