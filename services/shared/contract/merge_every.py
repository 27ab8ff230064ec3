"""How often a main table is merged at most, as a contract says it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from services.shared.contract.fault import TYPE

LONGEST = 420
"""Seconds: a push may be held for 10 minutes at most, 9 of which are a delivery's, and 2 of these are kept for the
MERGE (https://cloud.google.com/pubsub/docs/push)."""
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_TEXT = r"[0-9]{1,5}[smh]"


def _seconds(value: object) -> object:
    """Of a number of seconds, or a text such as 5m."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise PydanticCustomError("pace", "neither")
    if isinstance(value, str):
        if not re.fullmatch(_TEXT, value):
            raise PydanticCustomError("pace", "neither")
        value = int(value[:-1]) * _SECONDS[value[-1]]
    if value > LONGEST:
        what = (
            f"is longer than {LONGEST // 60} minutes, for which Pub/Sub holds no message: a longer pace needs a timer "
            "of its own (Cloud Scheduler, with merges that pull), which does not exist yet. Write 7m, or less"
        )
        raise PydanticCustomError(TYPE, "{what}", {"what": what})
    if value < 0:
        raise PydanticCustomError("pace", "neither")
    return value


MergeEvery = Annotated[
    int,
    BeforeValidator(
        _seconds,
        json_schema_input_type=Annotated[int, Field(ge=0, le=LONGEST)]
        | Annotated[str, StringConstraints(pattern=f"^{_TEXT}$")],
    ),
]
