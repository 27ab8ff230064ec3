"""A bundle is one service, whole, the same bytes each time, and alone enough to serve it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from google.pubsub_v1.types import PushConfig
from uv import find_uv_bin

from deploy import bundle, topology
from deploy.topology import ROOT
from localcloud import environment, ports, ready
from localcloud.cloud import LocalCloud
from services.shared.contract.expression import validate
from services.shared.contract.files import contract_files
from tests.harness.pipeline import HEADER, Pipeline, row
from tests.harness.statements.feeds import features


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What bundles are made of, in another folder and with other file times."""
    root = tmp_path / "copy"
    for folder in ("services", "dropmerge", "deploy"):
        shutil.copytree(ROOT / folder, root / folder, copy_function=shutil.copyfile)
    for path in root.rglob("*"):
        os.utime(path, (0, 0))
        if path.is_file():
            path.chmod(0o777)
    return root


def written(service: str, out: Path, root: Path = ROOT) -> bytes:
    bundle.write(service, out, root)
    return out.read_bytes()


@pytest.mark.parametrize("service", bundle.BUNDLES)
def test_the_same_files_give_the_same_bytes(tmp_path: Path, copy: Path, service: str) -> None:
    """A bundle's bytes do not depend on where its files lie, when and with what rights they were written."""
    for folder in ("services/ingest", "services/merge", "dropmerge/page"):
        (copy / folder / "__pycache__").mkdir(exist_ok=True)
        (copy / folder / "__pycache__" / "main.pyc").write_bytes(b"of this machine")
    assert written(service, tmp_path / "a.zip") == written(service, tmp_path / "b.zip", copy)
    entries = zipfile.ZipFile(tmp_path / "a.zip").infolist()
    # Both were written now: that no entry holds a time is seen only here.
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
    assert [entry.filename for entry in entries] == sorted(bundle.contents(service))


@pytest.mark.parametrize(("changed", "other"), [("merge", "ingest"), ("ingest", "merge")])
def test_a_change_in_one_service_leaves_the_other_s_bytes(
    tmp_path: Path, copy: Path, changed: str, other: str
) -> None:
    """A change of its code, its SQL, its modules or its pins changes one bundle and not the other."""
    before = {service: written(service, tmp_path / "before.zip", copy) for service in topology.SERVICES}
    folder = copy / "services" / changed
    (folder / "new.py").write_text("NEW = True\n")
    for name in ("main.py", "requirements.txt"):
        (folder / name).write_text((folder / name).read_text() + "\n# changed\n")
    assert written(other, tmp_path / "after.zip", copy) == before[other]
    assert written(changed, tmp_path / "after.zip", copy) != before[changed]


@pytest.mark.parametrize("service", topology.SERVICES)
def test_a_bundle_holds_its_service_and_nothing_of_the_other(service: str) -> None:
    """A bundle contains sources only."""
    names = set(bundle.contents(service))
    (other,) = set(topology.SERVICES) - {service}
    assert {"main.py", "requirements.txt", "feeds/accounts.yaml", f"services/{service}/main.py"} <= names
    for folder in (f"services/{service}", "services/shared"):
        for path in (path for kind in ("sql", "json") for path in (ROOT / folder).rglob(f"*.{kind}")):
            assert path.relative_to(ROOT).as_posix() in names
    allowed = ("main.py", "requirements.txt", "feeds/", "services/__init__.py", f"services/{service}/", "services/sha")
    assert [name for name in names if not name.startswith(allowed)] == []
    assert not any(name.startswith(f"services/{other}") for name in names)


def test_a_contract_s_file_ends_in_either_suffix(copy: Path) -> None:
    """A bundle has the contracts that a service would read in that folder, and no other file of it."""
    feeds = copy / "deploy" / "feeds"
    shutil.copyfile(feeds / "accounts.yaml", feeds / "more.yml")
    (feeds / "notes.txt").write_text("not a contract")
    found = {name for name in bundle.contents("merge", copy) if name.startswith("feeds/")}
    assert (
        found == {f"feeds/{path.name}" for path in contract_files(feeds)} == {"feeds/accounts.yaml", "feeds/more.yml"}
    )


@pytest.mark.parametrize(
    ("service", "missing"),
    [("merge", "deploy/feeds"), ("merge", "services/merge/__init__.py"), ("console", "dropmerge/page/__init__.py")],
)
def test_what_is_missing_is_named(tmp_path: Path, copy: Path, service: str, missing: str) -> None:
    """The error names the missing file, and no half-written zip is left."""
    gone = copy / missing
    shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
    with pytest.raises(bundle.BundleError, match=Path(missing).parts[1]):
        bundle.write(service, tmp_path / "out" / "some.zip", copy)
    assert not (tmp_path / "out").exists()


def test_the_command_writes_where_it_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command writes the bundle there and prints where it is."""
    out = tmp_path / "new" / "ingest.zip"
    assert bundle.main(["ingest", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert zipfile.ZipFile(out).testzip() is None


@dataclass(frozen=True)
class Installed:
    """A bundle unpacked, and a virtual environment with its requirements and nothing else."""

    service: str
    folder: Path
    python: Path

    def run(self, code: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.python, "-c", code], cwd=self.folder, env={}, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Installed]:
    found = {}
    for service in bundle.BUNDLES:
        home = tmp_path_factory.mktemp(service)
        bundle.write(service, home / "bundle.zip")
        zipfile.ZipFile(home / "bundle.zip").extractall(home / "workspace")
        uv = [find_uv_bin(), "--quiet", "--no-config"]
        subprocess.run([*uv, "venv", "--python", sys.executable, home / "venv"], check=True)
        python = home / "venv" / "bin" / "python"
        pins = home / "workspace" / "requirements.txt"
        install = [*uv, "pip", "install", "--python", str(python), "--require-hashes", "--requirements", str(pins)]
        subprocess.run(install, check=True)
        found[service] = Installed(service, home / "workspace", python)
    return found


@pytest.mark.parametrize("service", topology.SERVICES)
def test_a_check_means_the_same_to_the_bundle_s_parser(installed: dict[str, Installed], service: str) -> None:
    """A contract that `feeds check` accepts is one that the service can start with."""
    columns = [
        (feed.columns, {column.name: column.kind.name for column in feed.columns}) for feed in features().values()
    ]
    checks = [(one.check, names) for some, names in columns for one in some if one.check]
    code = f"from services.shared.contract.expression import validate as p; print([p(*check) for check in {checks!r}])"
    ran = installed[service].run(code)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout == f"{[validate(text, names) for text, names in checks]!r}\n"
    assert len(checks) > 5


@pytest.mark.parametrize("service", topology.SERVICES)
def test_the_other_service_and_what_it_alone_needs_are_absent(installed: dict[str, Installed], service: str) -> None:
    """In a clean environment a service can be imported, and the other service cannot."""
    (other,) = set(topology.SERVICES) - {service}
    assert installed[service].run(f"import main; main.{service}").returncode == 0
    failed = installed[service].run(f"import services.{other}")
    assert f"No module named 'services.{other}'" in failed.stderr
    extra = _pins(other) - _pins(service)
    listing = installed[service].run("import importlib.metadata as m; print(*(d.name for d in m.distributions()))")
    assert extra.isdisjoint(listing.stdout.lower().replace("_", "-").split())


def test_merge_cannot_so_much_as_import_the_bucket_s_client(installed: dict[str, Installed]) -> None:
    """Only ingest depends on the client for Cloud Storage."""
    assert "google-cloud-storage" in _pins("ingest") - _pins("merge")
    assert installed["ingest"].run("import google.cloud.storage").returncode == 0
    assert "No module named 'google.cloud.storage'" in installed["merge"].run("import google.cloud.storage").stderr


def test_the_page_s_bundle_is_whole(installed: dict[str, Installed]) -> None:
    """In a clean environment all that it holds can be imported, but for what runs a contract against a warehouse of
    this machine."""
    alone = "dropmerge.operations.trial"
    modules = [
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in bundle.contents(bundle.CONSOLE)
        # What the services begin with is functions-framework's to import.
        if name.endswith(".py") and name not in ("services/ingest/main.py", "services/merge/main.py")
    ]
    wanted = [name for name in modules if not name.startswith(alone)]
    assert {"dropmerge.operations.dead_letters.replay", "dropmerge.page.google", "deploy.costs"} <= set(wanted)
    ran = installed[bundle.CONSOLE].run(f"import importlib; [importlib.import_module(name) for name in {wanted!r}]")
    assert ran.returncode == 0, ran.stderr[-2000:]
    for other in ("localcloud", "dropmerge.cli", "functions_framework"):
        assert "No module named" in installed[bundle.CONSOLE].run(f"import {other}").stderr


PAGE = """
import flask
from dropmerge.page.access import Refused

def make_app(connect, access, start):
    app = flask.Flask("page")

    @app.get("/")
    def overview():
        try:
            return access.person(flask.request).name
        except Refused as refused:
            return str(refused), refused.status

    return app
"""
"""In the place of the page where the bundle has none."""


def test_the_image_s_command_serves_the_page_and_lets_nobody_in(installed: dict[str, Installed]) -> None:
    """On the port that Cloud Run names; without IAP's assertion, as when IAP is switched off, everybody is refused."""
    one = installed[bundle.CONSOLE]
    app = one.folder / "dropmerge" / "page" / "app.py"
    if not app.exists():
        app.write_text(PAGE)
    (line,) = [line for line in (one.folder / "Dockerfile").read_text().splitlines() if line.startswith("CMD ")]
    port = ports.choose(0)["ingest"]
    variables = {
        "PORT": str(port),
        "GOOGLE_CLOUD_PROJECT": "my-project",
        "DROPMERGE_FEEDS": "feeds",
        "DROPMERGE_LOCATION": "europe-west1",
        "DROPMERGE_CONSOLE_ROLE": "viewer",
        "DROPMERGE_CONSOLE_AUDIENCE": "/projects/1/locations/europe-west1/services/dropmerge-console-viewer",
        "DROPMERGE_CONSOLE_JOB": "",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = json.loads(line.removeprefix("CMD "))
    server = subprocess.Popen(
        [one.python.parent / command[0], *command[1:]], cwd=one.folder, env=variables, start_new_session=True
    )
    try:
        deadline = time.monotonic() + 60
        while not ready.answers(f"http://127.0.0.1:{port}/", "127.0.0.1", port):
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        claimed = {"x-goog-authenticated-user-email": "accounts.google.com:ada@example.com"}
        answer = requests.get(f"http://127.0.0.1:{port}/", headers=claimed, timeout=30, proxies={"http": ""})
        assert answer.status_code == 403
        assert "ada@example.com" not in answer.text
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=60)


def _pins(service: str) -> set[str]:
    lines = (ROOT / "services" / service / "requirements.txt").read_text().splitlines()
    return {line.partition("==")[0] for line in lines if "==" in line and not line.startswith((" ", "#"))}


@pytest.fixture(scope="module")
def served(installed: dict[str, Installed], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A local cloud whose subscriptions push to the bundles, served as Cloud Functions serves them."""
    before = dict(os.environ)
    state = tmp_path_factory.mktemp("cloud")
    cloud = LocalCloud(state, environ={})
    cloud.up(0)
    servers = []
    try:
        pipeline = Pipeline(cloud, ROOT / "deploy" / "feeds")
        for one in (installed[service] for service in topology.SERVICES):
            port = ports.choose(0)[one.service]
            servers.append(_serve(one, port, cloud.read(), state / f"bundle-{one.service}.log"))
            pipeline.connection.subscriber.modify_push_config(
                subscription=f"projects/{environment.PROJECT}/subscriptions/{one.service}",
                push_config=PushConfig(push_endpoint=f"http://127.0.0.1:{port}/"),
            )
        yield pipeline
    finally:
        for server in servers:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(timeout=120)
        cloud.down()
        os.environ.clear()
        os.environ.update(before)


def _serve(one: Installed, port: int, local: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    google = {name: value for name, value in local.items() if not name.startswith("DROPMERGE_")}
    variables = environment.service(one.service, topology.read(), Path("feeds"), google)
    del variables["PYTHONPATH"]  # the working tree must not help
    variables |= {
        "THREADS": str(topology.read().services[one.service]["threads"]),
        "PORT": str(port),
        "XDG_RUNTIME_DIR": str(one.folder.parent),
        "NO_PROXY": "127.0.0.1",
    }
    command = [str(one.python), "-m", "functions_framework", "--target", one.service, "--host", "127.0.0.1"]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=one.folder, env=variables, stdout=output, stderr=output, start_new_session=True
        )
    deadline = time.monotonic() + 60
    while not ready.answers(f"http://127.0.0.1:{port}/robots.txt", "127.0.0.1", port):
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
    return server


def test_a_file_gets_through_both_bundles(served: Pipeline) -> None:
    """Each bundle does its step, as its own log shows."""
    uri = served.drop("bundled.csv", HEADER + row("bundled", 612))
    served.wait_until_idle()
    assert served.explain(uri)["state"] == "merged"
    assert served.scores(["bundled"]) == {"bundled": 612}
    for service, outcome in (("ingest", "staged"), ("merge", "merged")):
        log = (served.cloud.state / f"bundle-{service}.log").read_text()
        assert f'"outcome": "{outcome}"' in log
        assert outcome not in served.cloud.log(service).read_text()
