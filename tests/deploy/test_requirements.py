"""The requirements files are whole, and every pip takes them on any day, whatever was published since.

Each file is given to pip 23.2.1, which Python 3.11.7 and 3.12.1 bring, and to the newest, with an index on disk that
has a newer release of each package that is asked for with extras: that is what made these files fail once. What real
installs bring besides is there too: for the services and checkov the real artefacts, downloaded. Development needs
218 MB of them; its packages, and those for running, are empty here but for their real metadata, which is all that pip
resolves by, and their hashes are rewritten.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from grimp import build_graph
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from uv import find_uv_bin

from deploy.topology import ROOT
from toolchain import requirements

PIPS = ("pip==23.2.1", "pip")
SERVED = ("services/ingest/requirements", "services/merge/requirements", "deploy/google/console/requirements")
DOWNLOADED = (*SERVED, "requirements-checkov")
REBUILT = ("requirements-run", "requirements-dev")


@dataclass(frozen=True)
class Pin:
    name: str
    extras: frozenset[str]
    version: str
    marker: Marker | None
    hashes: tuple[str, ...]

    @property
    def here(self) -> bool:
        """Whether this Python on this machine installs it."""
        return self.marker is None or self.marker.evaluate()


def text_of(file: str) -> str:
    return (ROOT / f"{file}.txt").read_text()


def pins_of(text: str) -> list[Pin]:
    def pins() -> Iterator[Pin]:
        for line in text.replace("\\\n", " ").splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                head, *hashes = line.split("--hash=")
                asked = Requirement(head)
                (only,) = asked.specifier
                assert only.operator == "==", line
                yield Pin(
                    canonicalize_name(asked.name),
                    frozenset(asked.extras),
                    only.version,
                    asked.marker,
                    tuple(one.strip() for one in hashes),
                )

    return list(pins())


def asked_with_extras(pins: list[Pin]) -> set[tuple[str, frozenset[str]]]:
    """What the pins that are installed here ask for with extras."""
    found: set[tuple[str, frozenset[str]]] = set()
    for pin in pins:
        if pin.here:
            for line in distribution(pin.name).requires or []:
                asked = Requirement(line)
                environment = [{"extra": extra} for extra in ("", *pin.extras)]
                if asked.extras and (asked.marker is None or any(map(asked.marker.evaluate, environment))):
                    found.add((canonicalize_name(asked.name), frozenset(asked.extras)))
    return found


def test_a_pin_with_extras_is_written_in_both_spellings() -> None:
    """Marker and hashes are the same; what has no extras stays as it is."""
    hashes = "    --hash=sha256:2 \\\n    --hash=sha256:3\n"
    before = (
        "a==1 \\\n    --hash=sha256:1\n    # via b\n"
        f"b[c,d]==2 ; python_version < '4' \\\n{hashes}    # via\n    #   e\n    #   f\n"
    )
    assert requirements.both_spellings(before) == (
        "a==1 \\\n    --hash=sha256:1\n    # via b\n"
        f"b==2 ; python_version < '4' \\\n{hashes}"
        f"b[c,d]==2 ; python_version < '4' \\\n{hashes}    # via\n    #   e\n    #   f\n"
    )


@pytest.mark.parametrize("file", requirements.FILES)
def test_a_committed_file_has_both_spellings_and_hashes_and_names_no_index(file: str) -> None:
    """Each pin with extras stands beside the same pin without."""
    pins = pins_of(text_of(file))
    assert len(pins) > (0 if "bench" in file else 50)
    assert all(pin.hashes for pin in pins)
    for pin in pins:
        assert Pin(pin.name, frozenset(), pin.version, pin.marker, pin.hashes) in pins
    assert re.search(r"://|^-", text_of(file), re.M) is None


@pytest.mark.parametrize("file", [*SERVED, *REBUILT])
def test_whatever_is_asked_for_with_extras_is_pinned_with_them(file: str) -> None:
    """The metadata of what is installed here says what is asked for with extras."""
    pins = pins_of(text_of(file))
    asked = asked_with_extras(pins)
    assert ("google-auth", frozenset({"pyopenssl"})) in asked
    for name, extras in asked:
        assert any(pin.name == name and pin.extras >= extras for pin in pins), (name, extras)


@pytest.mark.parametrize("file", requirements.FILES)
def test_what_an_in_file_names_is_pinned(file: str) -> None:
    """A change of an .in file without `make requirements` fails here."""
    pins = {pin.name: pin.version for pin in pins_of(text_of(file))}
    for line in (ROOT / f"{file}.in").read_text().splitlines():
        named = line.partition("#")[0].strip()
        if named and not named.startswith("-r "):
            asked = Requirement(named)
            assert asked.specifier.contains(pins[canonicalize_name(asked.name)]), line


def test_running_and_development_have_the_same_pins() -> None:
    """One set is installed on top of the other, so they must agree."""
    run, dev = (
        {(pin.name, pin.extras, pin.version, pin.hashes) for pin in pins_of(text_of(file)) if pin.here}
        for file in REBUILT
    )
    assert run < dev


def test_what_running_imports_is_installed_for_running() -> None:
    graph = build_graph(
        "dropmerge", "services", "localcloud", "deploy", "generator", include_external_packages=True, cache_dir=None
    )
    owners = packages_distributions()
    pinned = {pin.name for pin in pins_of(text_of("requirements-run"))}
    external = [module for module in graph.modules if graph.is_module_squashed(module)]
    assert {"bqemulator", "google"} <= set(external)
    for module in external:
        names = {canonicalize_name(name) for name in owners.get(module, [])}
        importers = graph.find_modules_that_directly_import(module)
        assert not importers or module in sys.stdlib_module_names or names & pinned, (module, importers)


def test_what_is_installed_fits_together() -> None:
    """`pip check`, which the set-up ran, finds no conflict."""
    check = [find_uv_bin(), "--no-config", "pip", "check", "--python", sys.executable]
    ran = subprocess.run(check, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def write_wheel(folder: Path, name: str, version: str, metadata: str) -> Path:
    """A wheel of nothing but its metadata, with the same bytes whenever it is written: a pin may stand twice."""
    stem = f"{name.replace('-', '_')}-{version}"
    wheel = folder / f"{stem}-py3-none-any.whl"
    files = {
        "METADATA": metadata,
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for file, text in files.items():
            archive.writestr(zipfile.ZipInfo(f"{stem}.dist-info/{file}"), text)
    return wheel


@pytest.fixture(scope="module")
def trap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For each package with extras a newer release, of the same major version: dependants would take it."""
    folder = tmp_path_factory.mktemp("trap")
    pins = {pin for file in requirements.FILES for pin in pins_of(text_of(file))}
    asked = {name for name, _ in asked_with_extras(pins_of(text_of("requirements-dev")))}
    for pin in pins:
        if pin.extras or pin.name in asked:
            version = f"{pin.version.partition('.')[0]}.999"
            write_wheel(folder, pin.name, version, f"Metadata-Version: 2.1\nName: {pin.name}\nVersion: {version}\n")
    assert len(list(folder.iterdir())) >= 5
    return folder


@pytest.fixture(scope="module")
def pips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A Python without packages for each pip."""
    found = {}
    for pip in PIPS:
        home = tmp_path_factory.mktemp("pip")
        uv = [find_uv_bin(), "--quiet", "--no-config"]
        subprocess.run([*uv, "venv", "--python", sys.executable, home / "venv"], check=True)
        found[pip] = home / "venv" / "bin" / "python"
        subprocess.run([*uv, "pip", "install", "--python", found[pip], pip], check=True)
    return found


@pytest.fixture(scope="module")
def downloads(pips: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The real artefacts that a file pins, from the machine's index, by file."""
    found: dict[str, Path] = {}
    for file in DOWNLOADED:
        found[file] = tmp_path_factory.mktemp("artefacts")
        known = [word for folder in found.values() for word in ("--find-links", str(folder))]
        subprocess.run(
            [
                pips["pip"], "-I", "-m", "pip", "-qq", "download", "--no-deps", "--require-hashes",
                "--requirement", ROOT / f"{file}.txt", "--dest", found[file], *known,
            ],
            check=True,
        )  # fmt: skip
    return found


def resolve(python: Path, text: str, *indexes: Path) -> subprocess.CompletedProcess[str]:
    """What pip would install from a requirements file's text, with these folders as its only index."""
    file = indexes[0] / "requirements.txt"
    file.write_text(text)
    links = [word for index in indexes for word in ("--find-links", str(index))]
    return subprocess.run(
        [python, "-I", "-m", "pip", "install", "--dry-run", "--no-index", *links, "--requirement", file],
        env={"PIP_CONFIG_FILE": "/dev/null", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def assert_all_would_be_installed(ran: subprocess.CompletedProcess[str], text: str) -> None:
    assert ran.returncode == 0, ran.stderr[-2000:]
    (line,) = (line for line in ran.stdout.splitlines() if line.startswith("Would install "))
    expected = {f"{pin.name}-{pin.version}" for pin in pins_of(text) if pin.here}
    assert {
        canonicalize_name(word.rpartition("-")[0]) + "-" + word.rpartition("-")[2] for word in line.split()[2:]
    } == (expected)


@pytest.mark.slow
@pytest.mark.parametrize("pip", PIPS)
@pytest.mark.parametrize("file", DOWNLOADED)
def test_a_pip_takes_a_file_with_newer_releases_about(
    pips: dict[str, Path], downloads: dict[str, Path], trap: Path, file: str, pip: str
) -> None:
    """A pip that resolves dependencies, as Google's builder does, installs all the file's pins and nothing else."""
    ran = resolve(pips[pip], text_of(file), downloads[file], trap)
    assert_all_would_be_installed(ran, text_of(file))


@pytest.mark.slow
@pytest.mark.parametrize("pip", PIPS)
@pytest.mark.parametrize("file", REBUILT)
def test_a_pip_takes_a_large_file_with_newer_releases_about(
    pips: dict[str, Path], tmp_path: Path, trap: Path, file: str, pip: str
) -> None:
    """The wheels have the metadata of what is installed here, and nothing else."""
    lines = []
    for pin in pins_of(text_of(file)):
        hashed = "0" * 64
        if pin.here:
            installed = distribution(pin.name)
            assert installed.version == pin.version, "the environment is older than the file: make dev-environment"
            wheel = write_wheel(tmp_path, pin.name, pin.version, installed.read_text("METADATA") or "")
            hashed = hashlib.sha256(wheel.read_bytes()).hexdigest()
        extras = f"[{','.join(sorted(pin.extras))}]" if pin.extras else ""
        marker = f" ; {pin.marker}" if pin.marker else ""
        lines.append(f"{pin.name}{extras}=={pin.version}{marker} --hash=sha256:{hashed}\n")
    ran = resolve(pips[pip], "".join(lines), tmp_path, trap)
    assert_all_would_be_installed(ran, text_of(file))


@pytest.mark.slow
@pytest.mark.parametrize("spelling", ["with extras", "without extras"])
def test_the_trap_bites_a_file_with_one_spelling(
    pips: dict[str, Path], downloads: dict[str, Path], trap: Path, spelling: str
) -> None:
    """A file with one spelling alone fails, as these files once did and as they would with the other spelling."""
    file = "services/ingest/requirements"
    twice = {pin.name for pin in pins_of(text_of(file)) if pin.extras}
    blocks = re.split(r"(?m)^(?=[a-z])", text_of(file))
    gone = {
        block
        for block in blocks
        if re.split(r"[\[=]", block)[0] in twice and ("[" in block.partition("==")[0]) != (spelling == "with extras")
    }
    assert len(gone) == len(twice) >= 3
    ran = resolve(pips["pip==23.2.1"], "".join(block for block in blocks if block not in gone), downloads[file], trap)
    assert ran.returncode == 1
    assert "all requirements must have their versions pinned" in ran.stderr
    assert ".999" in ran.stderr
