"""What the figures were measured on: nothing by which a machine could be recognised."""

from __future__ import annotations

import os
import platform
from typing import Any

import psutil


def describe() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "memory in GB": round(psutil.virtual_memory().total / 2**30),
        "Python": platform.python_version(),
    }
