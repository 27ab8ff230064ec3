"""Carries out one operation that the page recorded: `python -m dropmerge.page.worker ID`.

Locally the page starts it, on Google Cloud it is a Cloud Run job: it goes on when the page, and the person, are gone.
"""

from __future__ import annotations

import os
import re
import sys
import time
from dataclasses import replace
from pathlib import Path

from dropmerge.operations.actions.carry_out import carry_out
from dropmerge.operations.actions.record import OPERATION_ID, Action, find_action
from dropmerge.operations.connection import Connection
from dropmerge.operations.no_answer import BIGQUERY
from services.shared.journal import Operation

_PATIENCE_SECONDS = 90.0
"""How long to wait for the record: what is streamed can be queried some seconds later."""


def main(arguments: list[str]) -> int:
    """Exit code 2 for an id that nothing was recorded under."""
    if len(arguments) != 1 or not re.fullmatch(OPERATION_ID, arguments[0]):
        print("usage: python -m dropmerge.page.worker OPERATION_ID", file=sys.stderr)
        return 2
    connection = connect()
    action = _await(connection, arguments[0])
    if action is None:
        print(f"no operation {arguments[0]} is recorded", file=sys.stderr)
        return 2
    carry_out(replace(connection, operation=Operation(action.who, action.id)), action)
    return 0


def connect() -> Connection:
    """As the environment says, which the page, or the job's definition, has made."""
    project = os.environ["GOOGLE_CLOUD_PROJECT"]
    prefix = "" if BIGQUERY.emulator else f"{project}-"
    return Connection(project, Path(os.environ["DROPMERGE_FEEDS"]), prefix)


def _await(connection: Connection, operation_id: str) -> Action | None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (found := find_action(connection, operation_id)) is None and time.monotonic() < deadline:
        time.sleep(1.0)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
