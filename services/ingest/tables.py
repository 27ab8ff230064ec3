"""The tables that a load passes through on its way to staging."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tables:
    """Full names, project and dataset included."""

    raw: str
    checked: str
    staging: str
    rejected: str
