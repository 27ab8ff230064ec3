"""STATE/cloud.json: what was started where, so that a later command finds it; STATE/last.json: what ran before."""

import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from localcloud import ports as ports_of
from localcloud.ports import Ports
from localcloud.processes import Identity

_RUNNING, _LAST = "cloud.json", "last.json"


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
    any_ports: bool = False
    """Free ports were asked for, whichever they are."""
    contracts: dict[str, dict[str, str]] = field(default_factory=dict)
    """By function: file name to SHA-256, as they were when it was started."""


def load(state: Path) -> Record | None:
    """The record of this state, if a local cloud was started there and not stopped since."""
    return _load(state / _RUNNING)


def load_last(state: Path) -> Record | None:
    """How the local cloud that was stopped last had been started; an empty folder is the default."""
    return _load(state / _LAST)


def save(state: Path, record: Record) -> None:
    """Write the record, in one step: a reader never sees half of it."""
    _save(state / _RUNNING, record)


def save_last(state: Path, record: Record) -> None:
    """Write what the next `up` starts from."""
    _save(state / _LAST, record)


def remove(state: Path) -> None:
    """Deletes the record: nothing runs any more."""
    (state / _RUNNING).unlink(missing_ok=True)


def _load(path: Path) -> Record | None:
    try:
        read: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    # Another version's file may have fewer fields, or more, and another number of ports.
    known = {one.name for one in fields(Record)}
    read = {name: value for name, value in read.items() if name in known}
    read["processes"] = {name: Identity(**identity) for name, identity in read["processes"].items()}
    read["ports"] = ports_of.complete(read["ports"])
    return Record(**read)


def _save(path: Path, record: Record) -> None:
    new = path.with_name(f"{path.name}.new")
    new.write_text(json.dumps(asdict(record), indent=2))
    os.replace(new, path)
