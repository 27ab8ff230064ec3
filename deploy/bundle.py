"""The zip that a service, or the console page, is built from on Google Cloud: the same files give the same bytes.

`python -m deploy.bundle ingest --out ingest.zip`
"""

from __future__ import annotations

import argparse
import os
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from deploy.topology import ROOT, SERVICES, contract_files

CONSOLE = "console"
"""The page, which is no function: its bundle has a Dockerfile."""
BUNDLES = (*SERVICES, CONSOLE)

# The earliest time that a zip can hold.
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644

_MAIN = '''"""Where functions-framework looks for the function named by its target."""

from services.{service}.main import {service}

__all__ = ["{service}"]
'''


class BundleError(Exception):
    """A bundle cannot be written; the message says what is missing."""


def contents(name: str, root: Path = ROOT) -> dict[str, bytes]:
    """Path in the bundle to bytes: a service with services/shared and a main.py, or the page with the operations, all
    of services/ and a Dockerfile; the contracts, and its own pins.

    Raises:
        BundleError: its sources or the contracts are not there.
    """
    if name not in BUNDLES:
        raise BundleError(f"{name!r} has no bundle: choose {' or '.join(BUNDLES)}")
    files = _page(root) if name == CONSOLE else _service(name, root)
    feeds = contract_files(root / "deploy" / "feeds")
    if not feeds:
        raise BundleError(f"{root / 'deploy' / 'feeds'}: no contracts (*.yaml, *.yml) in this folder")
    files.update({f"feeds/{path.name}": path.read_bytes() for path in feeds})
    return files


def write(name: str, out: Path, root: Path = ROOT) -> None:
    """Write the bundle, whole or not at all.

    Raises:
        BundleError: as `contents`.
    """
    files = contents(name, root)
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    with zipfile.ZipFile(unfinished, "w") as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, _TIME)
            entry.create_system = 3  # Unix, wherever it is written, so that the mode is read as a Unix mode
            entry.external_attr = _MODE << 16
            # Stored: another version of zlib may compress to other bytes.
            entry.compress_type = zipfile.ZIP_STORED
            archive.writestr(entry, files[path])
    unfinished.replace(out)


def _service(service: str, root: Path) -> dict[str, bytes]:
    sources = _sources(root, "services", f"services/{service}", "services/shared")
    own = root / "services" / service / "requirements.txt"
    return {**sources, "main.py": _MAIN.format(service=service).encode(), "requirements.txt": own.read_bytes()}


def _page(root: Path) -> dict[str, bytes]:
    """The operations import the services' code, and deploy/topology.py, which reads the file beside it."""
    parts = ("dropmerge", "dropmerge/operations", "dropmerge/page", "services")
    sources = _sources(root, *parts, *(f"services/{one}" for one in (*SERVICES, "shared")))
    # Beside sources the page has templates, styles, scripts and their licences.
    page = _read(root, (path for path in (root / "dropmerge" / "page").rglob("*") if _is_kept(path)))
    deploy = _read(root, (root / "deploy" / name for name in _OF_DEPLOY))
    own = root / "deploy" / "google" / CONSOLE
    made_by = {name: (own / name).read_bytes() for name in ("Dockerfile", "requirements.txt")}
    return {**sources, **page, **deploy, **made_by}


_OF_DEPLOY = ("__init__.py", "costs.py", "topology.py", "topology.yaml")


def _sources(root: Path, *packages: str) -> dict[str, bytes]:
    """What the code of packages is and reads. Of a package whose parts are listed too, its own __init__.py only."""
    found: list[Path] = []
    for package in packages:
        folder = root / package
        if not (folder / "__init__.py").exists():
            raise BundleError(f"{folder}: the source is not in this folder")
        is_whole = not any(other.startswith(f"{package}/") for other in packages)
        found += _code(folder) if is_whole else [folder / "__init__.py"]
    return _read(root, found)


def _code(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.suffix in (".py", ".sql", ".json"))


def _is_kept(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def _read(root: Path, paths: Iterable[Path]) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def main(arguments: list[str] | None = None) -> int:
    """The command. Returns 0, or 1 after a line on stderr that says what is missing."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.bundle", description="Write the bundle of a service, or of the page."
    )
    parser.add_argument("name", choices=BUNDLES)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.zip")
    given = parser.parse_args(arguments)
    try:
        write(given.name, given.out)
    except (BundleError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(given.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
