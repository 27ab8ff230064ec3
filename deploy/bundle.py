"""The zip that Cloud Functions builds a service from: the same files give the same bytes.

`python -m deploy.bundle ingest --out ingest.zip`
"""

from __future__ import annotations

import argparse
import os
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from deploy.topology import ROOT, SERVICES, contract_files

# The earliest time that a zip can hold.
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644

_MAIN = '''"""Where functions-framework looks for the function named by its target."""

from services.{service}.main import {service}

__all__ = ["{service}"]
'''


class BundleError(Exception):
    """A bundle cannot be written; the message says what is missing."""


def contents(service: str, root: Path = ROOT) -> dict[str, bytes]:
    """Path in the bundle to bytes: the service, services/shared, the contracts, its own pins, and a main.py.

    Raises:
        BundleError: the service or the contracts are not there.
    """
    if service not in SERVICES:
        raise BundleError(f"{service!r} is not a service: choose {' or '.join(SERVICES)}")
    files = {"main.py": _MAIN.format(service=service).encode()}
    for path in _sources(service, root):
        files[path.relative_to(root).as_posix()] = path.read_bytes()
    feeds = contract_files(root / "deploy" / "feeds")
    if not feeds:
        raise BundleError(f"{root / 'deploy' / 'feeds'}: no contracts (*.yaml, *.yml) in this folder")
    files.update({f"feeds/{path.name}": path.read_bytes() for path in feeds})
    files["requirements.txt"] = (root / "services" / service / "requirements.txt").read_bytes()
    return files


def write(service: str, out: Path, root: Path = ROOT) -> None:
    """Write the bundle, whole or not at all.

    Raises:
        BundleError: as `contents`.
    """
    files = contents(service, root)
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    with zipfile.ZipFile(unfinished, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system = 3  # Unix, wherever it is written, so that the mode is read as a Unix mode
            entry.external_attr = _MODE << 16
            # Stored: another version of zlib may compress to other bytes.
            entry.compress_type = zipfile.ZIP_STORED
            archive.writestr(entry, files[name])
    unfinished.replace(out)


def _sources(service: str, root: Path) -> Iterator[Path]:
    services = root / "services"
    yield services / "__init__.py"
    for folder in (services / service, services / "shared"):
        if not (folder / "__init__.py").exists():
            raise BundleError(f"{folder}: the service is not in this folder")
        yield from (path for path in sorted(folder.rglob("*")) if path.suffix in (".py", ".sql", ".json"))


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns 0, or 1 after a line on stderr that says what is missing."""
    parser = argparse.ArgumentParser(prog="python -m deploy.bundle", description="Write a service's bundle.")
    parser.add_argument("service", choices=SERVICES)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.zip")
    given = parser.parse_args(arguments)
    try:
        write(given.service, given.out)
    except (BundleError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(given.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
