"""Which part of a process a sample of its stack belongs to: that of the innermost frame which belongs to any."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from deploy.topology import ROOT

Samples = Mapping[str, int]
"""How often a stack was seen: `function (file)` of each frame, from the outermost on, with `;` between them."""
Parts = Mapping[str, Sequence[str]]
"""By part, how `file:function` of its frames begins; the longest beginning counts."""

DUCKDB, THE_REST = "DuckDB", "the rest"
_GOOGLE, _OURS, _FRAMEWORK = "Google's client libraries", "our code", "the function framework"
_TRANSLATION, _CATALOG, _FILES, _HTTP = "translation", "catalog and jobs", "reading files", "HTTP"

SERVICE: Parts = {
    _OURS: ("services/",),
    _GOOGLE: ("google/", "grpc/", "proto/", "requests/", "urllib3/"),
    _FRAMEWORK: ("flask/", "functions_framework/", "gunicorn/", "werkzeug/"),
}
WAREHOUSE: Parts = {
    DUCKDB: ("bqemulator/storage/engine.py", "duckdb/", "localcloud/warehouse/transactions.py:execute"),
    _TRANSLATION: (
        *("bqemulator/scripting/", "bqemulator/sql/", "sqlglot/"),
        *(f"localcloud/warehouse/{name}.py" for name in ("dialect", "patches", "shapes", "translation")),
    ),
    _FILES: (
        "pyarrow/",
        *(
            f"localcloud/warehouse/{name}.py"
            for name in ("csv_dialect", "csv_reader", "encoded", "load_job", "packed")
        ),
        *(f"localcloud/warehouse/{name}.py" for name in ("avro_types", "typed_files", "typed_types")),
    ),
    _HTTP: (
        *("anyio/", "asyncio/", "bqemulator/api/", "fastapi/", "h11/", "httptools/", "starlette/", "uvicorn/"),
        *(f"localcloud/warehouse/patches.py:{name}" for name in ("at_once", "awaited")),
    ),
    _CATALOG: ("bqemulator/", "bqemulator/api/routes/", "localcloud/warehouse/", "pydantic/"),
}
PARTS: Mapping[str, Parts] = {"warehouse": WAREHOUSE, "ingest": SERVICE, "merge": SERVICE}

_FRAME = re.compile(r"(?P<function>.+) \((?P<file>.+)\)")
_LIBRARIES = re.compile(r".*/(?:python3\.\d+|site-packages)/")
"""Where Python's own modules and those of packages are."""
_WAITING = re.compile(
    r"selectors\.py:.*select|socket\.py:.*(?:accept|readinto)|threading\.py:.*(?:wait|Thread\.run)"
    r"|concurrent/futures/thread\.py:_worker|gunicorn/arbiter\.py:.*wait_for_signals"
)
"""Innermost frames of threads with nothing to do, which the sampler may take for busy."""


def shares(samples: Samples, parts: Parts) -> dict[str, float]:
    """The share that each of these parts, and the rest, has of all samples; empty without any."""
    counts: Counter[str] = Counter()
    for stack, count in samples.items():
        if (part := part_of(stack, parts)) is not None:
            counts[part] += count
    return {part: counts[part] / counts.total() for part in (*parts, THE_REST)} if counts.total() else {}


def with_threads(found: Mapping[str, float], part: str, share: float) -> dict[str, float]:
    """These shares, where threads that are in no sample, all of them this part's, take `share` of the whole."""
    return {name: (1 - share) * one + (share if name == part else 0) for name, one in found.items()}


def part_of(stack: str, parts: Parts) -> str | None:
    """None for a thread that only waits."""
    frames = [name for frame in stack.split(";") if (name := _name(frame))]
    if not frames or _WAITING.fullmatch(frames[-1]):
        return None
    beginnings = {beginning: part for part, each in parts.items() for beginning in each}
    return next((part for one in reversed(frames) if (part := _longest(one, beginnings))), THE_REST)


def _longest(frame: str, beginnings: Mapping[str, str]) -> str | None:
    longest = max(filter(frame.startswith, beginnings), key=len, default=None)
    return None if longest is None else beginnings[longest]


def _name(frame: str) -> str | None:
    """`file:function`, the file within the repository or a library; None of what is no frame, such as a process."""
    found = _FRAME.fullmatch(frame)
    if found is None:
        return None
    file = _LIBRARIES.sub("", found["file"]).removeprefix(f"{ROOT}/")
    return f"{file}:{found['function']}"
