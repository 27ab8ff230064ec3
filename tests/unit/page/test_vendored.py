"""Others' code that the page loads is what its list says."""

import re
from hashlib import sha256

from deploy.topology import ROOT

_FOLDER = ROOT / "dropmerge" / "page" / "static" / "vendor"
_LIST = "VENDORED.md"
_LINE = re.compile(
    r"^\| (?P<file>\S+) \| (?P<package>\S+) \| (?P<version>[0-9.]+) \| \w+ \| (?P<hash>[0-9a-f]{64}) \|$"
)


def _listed() -> list[re.Match[str]]:
    return [found for line in (_FOLDER / _LIST).read_text().splitlines() if (found := _LINE.match(line))]


def test_each_vendored_file_has_the_hash_that_is_listed() -> None:
    """All files are listed, and none that is not there."""
    there = {path.name: sha256(path.read_bytes()).hexdigest() for path in _FOLDER.iterdir() if path.name != _LIST}
    assert {one["file"]: one["hash"] for one in _listed()} == there


def test_the_listed_versions_are_those_that_the_files_name() -> None:
    versions = {one["file"]: one["version"] for one in _listed()}
    assert f'version="{versions["htmx.js"]}"' in (_FOLDER / "htmx.js").read_text()
    assert f"(v{versions['uPlot.js']})" in (_FOLDER / "uPlot.js").read_text()


def test_each_licence_is_beside_what_it_is_of() -> None:
    assert "Zero-Clause BSD" in (_FOLDER / "htmx.LICENSE").read_text()
    assert "MIT License" in (_FOLDER / "uPlot.LICENSE").read_text()
