"""A rival's side of the benchmark: it imports what it needs, and then answers requests, which are lines of JSON.

Imports nothing but Python's own: each rival has an environment of its own.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any


def serve(actions: Mapping[str, Callable[..., Any]]) -> None:
    """Say ready, then answer each line `{"do": action, …arguments}` with a line of JSON, until the input ends."""
    # Whatever a library prints goes to stderr.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print(json.dumps("ready"), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(actions[request.pop("do")](**request)), file=answers, flush=True)
