"""Starts the worker as a process of this machine, which outlives the page."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dropmerge.operations.actions.read import read_actions
from dropmerge.operations.actions.record import end, find_action
from dropmerge.operations.connection import Connection
from dropmerge.page.actions import Start
from services.shared.journal import Operation


def starter(connect: Callable[[], Connection], logs: Path) -> Start:
    """`logs`: the folder of the worker's log."""

    def start(operation_id: str) -> None:
        connection = connect()
        logs.mkdir(parents=True, exist_ok=True)
        environ = {
            **os.environ,
            "GOOGLE_CLOUD_PROJECT": connection.project,
            "DROPMERGE_FEEDS": str(connection.feeds_folder),
        }
        with (logs / "console-worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dropmerge.page.worker", operation_id],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environ,
                # Ctrl-C at the page's terminal is not for it.
                start_new_session=True,
            )
        threading.Thread(target=_watch, args=(process, connection, operation_id), daemon=True).start()

    return start


def _of_today() -> datetime:
    return datetime.now(UTC) - timedelta(days=1)


def _watch(process: subprocess.Popen[bytes], connection: Connection, operation_id: str) -> None:
    """A process that was killed cannot say so itself."""
    code = process.wait()
    if code and not any(one.is_ended for one in read_actions(connection, _of_today(), operation_id)):
        action = find_action(connection, operation_id)
        own = replace(connection, operation=Operation(action.who if action else "", operation_id))
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        end(own, {"outcome": "failed", "error": f"the process that carried it out ended {how}"})
