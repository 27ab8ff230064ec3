"""The local warehouse alone, without the rest of the local cloud."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from deploy import topology
from deploy.topology import ROOT
from localcloud import parts, processes, ready
from localcloud.environment import clean
from localcloud.ports import Ports, choose
from tests.harness.subscription import wait_until


@contextmanager
def local_warehouse(
    folder: Path, program: Sequence[str] = ("-m", "localcloud.warehouse"), chosen: Ports | None = None
) -> Iterator[bigquery.Client]:
    """A client of a warehouse that keeps its files in `folder`, and ends with the block.

    `program`: what Python runs instead, with the warehouse's own options. `chosen`: its ports, else free ones.
    """
    ports = chosen or choose(0)
    plan = parts.Plan(folder, ports, folder, ROOT / "services", f"127.0.0.1:{ports['bus']}")
    part = parts.build(plan, topology.read())["warehouse"]
    (folder / "warehouse").mkdir(exist_ok=True)
    assert part.command[1:3] == ["-m", "localcloud.warehouse"]
    command = [sys.executable, *program, *part.command[3:]]
    process = processes.start(command, {**clean(), **part.variables}, folder / "warehouse.log")
    try:
        wait_until(lambda: ready.answers(part.probe, "127.0.0.1", part.port), "ready")
        client = bigquery.Client(
            project="local",
            credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
            client_options=ClientOptions(api_endpoint=plan.url("warehouse")),
        )
        client.create_dataset("d", exists_ok=True)
        yield client
        client.close()  # type: ignore[no-untyped-call]
    finally:
        processes.end([process])
