"""The archive bucket: what a pinned copy is called, and how it tells what it is a copy of."""

from __future__ import annotations

from collections.abc import Mapping

from services.shared.load import Load


def archived_name(load: Load) -> str:
    """By the load's id: a clean name, whatever the sender's was."""
    return f"{load.feed}/{load.load_id}.csv"


def metadata_of(load: Load) -> dict[str, str]:
    """So that the archive alone is enough to load everything again."""
    return {"bucket": load.bucket, "object": load.object, "generation": str(load.generation)}


def archived_load(name: str, metadata: Mapping[str, str] | None) -> Load | None:
    """What an archived object is a copy of; None if its name and metadata do not fit together."""
    told = metadata or {}
    try:
        load = Load(name.partition("/")[0], told["bucket"], told["object"], int(told["generation"]))
    except (KeyError, ValueError):
        return None
    return load if name == archived_name(load) else None
