"""STATE/cloud.json: what was started where, so that a later command finds it."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from deploy.local.ports import Ports
from deploy.local.processes import Identity


@dataclass
class Record:
    """The ports, folders and processes of one local cloud."""

    ports: Ports
    feeds: str
    services: str
    bus_host: str
    own_bus: bool
    processes: dict[str, Identity] = field(default_factory=dict)
    ready: bool = False


def load(state: Path) -> Record | None:
    """The record of this state, if a local cloud was started there and not stopped since."""
    try:
        read = json.loads((state / "cloud.json").read_text())
    except FileNotFoundError:
        return None
    processes = {name: Identity(**identity) for name, identity in read.pop("processes").items()}
    return Record(**read, processes=processes)


def save(state: Path, record: Record) -> None:
    """Write the record, in one step: a reader never sees half of it."""
    new = state / "cloud.json.new"
    new.write_text(json.dumps(asdict(record), indent=2))
    os.replace(new, state / "cloud.json")


def remove(state: Path) -> None:
    """Forget the record: nothing runs any more."""
    (state / "cloud.json").unlink(missing_ok=True)
