"""Put drafts of contracts in the folder of contracts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dropmerge.operations.errors import NotDone
from dropmerge.operations.feeds.odcs.draft import Draft


def write_drafts(drafts: Sequence[Draft], folder: Path) -> list[Path]:
    """All or none. Raises NotDone where one would replace a file, or has a fault: no service would start with it."""
    faults = [f"{draft.name}: {fault}" for draft in drafts for fault in draft.faults()]
    if faults:
        raise NotDone(
            f"nothing was written, because a contract has errors: {'; '.join(faults)}; print it, then correct it"
        )
    paths = [folder / f"{draft.name}.yaml" for draft in drafts]
    taken = [str(path) for path in paths if path.exists()] or [str(one) for one in paths if paths.count(one) > 1]
    if taken:
        raise NotDone(f"nothing was written: {', '.join(taken)} already exists")
    for path, draft in zip(paths, drafts, strict=True):
        path.write_text(draft.yaml(), encoding="utf-8")
    return paths
