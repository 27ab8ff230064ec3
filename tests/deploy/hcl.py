"""The Terraform files as data: roots, their module, resources by type and name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hcl2

from deploy.topology import ROOT

GOOGLE = ROOT / "deploy" / "google"
FOLDERS = ("foundation", "ingest", "merge", "console", "modules/service")


@dataclass(frozen=True)
class Resource:
    folder: str
    kind: str
    name: str
    body: dict[str, Any]

    @property
    def address(self) -> str:
        return f"{self.folder}: {self.kind}.{self.name}"

    def block(self, *path: str) -> dict[str, Any]:
        """The one nested block at this path. Raises KeyError or ValueError."""
        body = self.body
        for name in path:
            (body,) = body[name]
        return body


def files(folder: str) -> Iterator[dict[str, Any]]:
    """Every file of a folder, decoded: strings without their quotes, expressions as `${…}`."""
    for path in sorted((GOOGLE / folder).glob("*.tf")):
        yield _plain(hcl2.loads(path.read_text(encoding="utf-8")))


def resources(*kinds: str) -> list[Resource]:
    """Resources of these types, of every type if none is named, in all folders."""
    return [
        Resource(folder, kind, name, body)
        for folder in FOLDERS
        for file in files(folder)
        for one in file.get("resource", [])
        for kind, named in one.items()
        if not kinds or kind in kinds
        for name, body in named.items()
    ]


def blocks(folder: str, kind: str) -> dict[str, dict[str, Any]]:
    """Blocks with one label, such as variable or module, by that label."""
    return {name: body for file in files(folder) for one in file.get(kind, []) for name, body in one.items()}


def local_values(folder: str) -> dict[str, Any]:
    """What `locals` blocks define."""
    return {name: value for file in files(folder) for one in file.get("locals", []) for name, value in one.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_plain(name): _plain(one) for name, one in value.items() if not re.fullmatch(r"__\w+__", str(name))}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1].replace('\\"', '"')
    return value


def path_of(folder: str) -> Path:
    return GOOGLE / folder
