"""The local cloud of one state folder: bring it up, read where it is, take it down."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.local import parts as parts_of
from deploy.local import ports as ports_of
from deploy.local import processes, ready, record, topology
from deploy.local.environment import ROOT, clean
from deploy.local.errors import CloudError, Interrupted
from deploy.local.lock import only_one
from deploy.local.parts import Part, Plan
from deploy.local.record import Record

_START_TIMEOUT = 60.0
_LOG_TAIL_LINES = 20


class LocalCloud:
    """A local cloud kept in `state`. `say` takes progress lines; `cancelled` is asked while waiting."""

    def __init__(
        self,
        state: Path,
        say: Callable[[str], None] = lambda line: None,
        cancelled: Callable[[], bool] = lambda: False,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.state = state.resolve()
        self._say = say
        self._cancelled = cancelled
        self._environ = environ
        self._log_starts: dict[str, int] = {}

    def up(
        self, port_base: int | None = None, feeds: Path | None = None, services: Path | None = None
    ) -> dict[str, str]:
        """Start whatever is not running and await it; if that fails, stop everything again."""
        # Slow to import: done here, not for who only reads where the local cloud is.
        from google.api_core.exceptions import GoogleAPIError

        with only_one(self.state, self._check, self._say):
            current = self._settle(port_base, feeds, services)
            dead = self.dead(current)
            if current.ready and not dead:
                self._say(f"the local cloud in {self.state} is up")
                return self.read()
            try:
                self._start(current, dead)
            except GoogleAPIError as error:
                self._stop(current)
                raise CloudError(f"the parts run, but do not take what the topology asks for: {error}") from error
            except BaseException:
                self._stop(current)
                raise
        return self.read()

    def down(self) -> bool:
        """Stop every part, in an order that loses nothing; False when nothing was up."""
        if not self.state.exists():
            return False
        with only_one(self.state, lambda: None, self._say):
            current = record.load(self.state)
            if current is None:
                return False
            self._stop(current)
            return True

    def read(self) -> dict[str, str]:
        """The variables that point clients at this local cloud; CloudError when none is up."""
        current = record.load(self.state)
        if current is None or not current.ready:
            raise CloudError(f"no local cloud is up in {self.state}: start one with `dropmerge up`")
        plan = self._plan(current)
        variables = {**plan.google(), "DROPMERGE_STATE": str(self.state)}
        for name in parts_of.NAMES:
            process = current.processes.get(name)
            variables[f"DROPMERGE_{name.upper()}_URL"] = plan.url(name)
            variables[f"DROPMERGE_{name.upper()}_PID"] = str(process.pid) if process else ""
        return variables

    def dead(self, current: Record | None = None) -> list[str]:
        """The parts that should run and do not; all of them, when none was started."""
        current = current or record.load(self.state)
        names = [name for name in parts_of.NAMES if name != "bus" or current is None or current.own_bus]
        if current is None:
            return names
        return [n for n in names if n not in current.processes or not processes.alive(current.processes[n])]

    def is_recorded(self) -> bool:
        """Whether a local cloud was started here and not stopped since."""
        return record.load(self.state) is not None

    def log(self, name: str) -> Path:
        """Where a part's output goes."""
        return self.state / "logs" / f"{name}.log"

    def _settle(self, port_base: int | None, feeds: Path | None, services: Path | None) -> Record:
        """The record to go on with: the one on disk while any of its parts lives, else a new one."""
        current = record.load(self.state)
        if current is None or not current.processes:
            return self._fresh(ports_of.choose(port_base), feeds, services)
        if len(self.dead(current)) < len(current.processes):
            self._refuse_other(current, port_base, feeds, services)
            return current
        processes.end(current.processes.values())  # what dead parts left behind
        ports = current.ports if port_base is None else ports_of.choose(port_base)
        return self._fresh(ports, feeds or Path(current.feeds), services or Path(current.services))

    def _refuse_other(self, current: Record, port_base: int | None, feeds: Path | None, services: Path | None) -> None:
        differs = {
            "ports": bool(port_base) and ports_of.choose(port_base) != current.ports,
            "feeds": feeds is not None and str(feeds.resolve()) != current.feeds,
            "services": services is not None and str(services.resolve()) != current.services,
        }
        for what in (name for name, is_other in differs.items() if is_other):
            raise CloudError(f"the local cloud in {self.state} runs with other {what}: `dropmerge down` first")

    def _fresh(self, ports: ports_of.Ports, feeds: Path | None, services: Path | None) -> Record:
        external = self._external_bus()
        return Record(
            ports=ports,
            feeds=str((feeds or ROOT / "deploy" / "feeds").resolve()),
            services=str((services or ROOT / "services").resolve()),
            bus_host=external or f"127.0.0.1:{ports['bus']}",
            own_bus=external is None,
        )

    def _external_bus(self) -> str | None:
        """The Pub/Sub emulator the shell names, unless `dropmerge env` put it there."""
        host = self._environ.get("PUBSUB_EMULATOR_HOST")
        from_env = (
            self._environ.get("DROPMERGE_BUS_PID") and self._environ.get("DROPMERGE_BUS_URL") == f"http://{host}"
        )
        return None if not host or from_env else host

    def _plan(self, current: Record) -> Plan:
        return Plan(self.state, current.ports, Path(current.feeds), Path(current.services), current.bus_host)

    def _start(self, current: Record, missing: list[str]) -> None:
        plan, wanted = self._plan(current), topology.read()
        parts = parts_of.build(plan, wanted)
        processes.end([current.processes[name] for name in missing if name in current.processes])
        for name in missing:
            self._require_free_ports(parts[name])
        for wave in parts_of.START_ORDER:
            if "bucket" in wave:
                self._say("topics and subscriptions")
                topology.create_messaging(wanted, plan.bus_host, lambda name: f"{plan.url(name)}/")
            self._start_wave(current, [parts[name] for name in wave if name in missing])
        self._check()
        self._say("buckets and datasets")
        topology.create_buckets(wanted, plan.url("bucket"))
        topology.create_datasets(wanted, plan.url("warehouse"))
        self._check()
        current.ready = True
        record.save(self.state, current)

    def _require_free_ports(self, part: Part) -> None:
        for name, port in part.ports.items():
            deadline = time.monotonic() + 2  # a port just given up may need a moment
            while not ports_of.is_free(port):
                if time.monotonic() > deadline:
                    raise CloudError(
                        f"port {port}, which {name} wants, is taken: choose others with --port-base N"
                        " (0 picks free ones)"
                    )
                time.sleep(0.05)

    def _start_wave(self, current: Record, wave: list[Part]) -> None:
        for part in wave:
            self._check()
            self._start_part(current, part)
        deadline = time.monotonic() + _START_TIMEOUT
        waiting = list(wave)
        while waiting:
            self._check()
            waiting = [part for part in waiting if not self._is_ready(current, part)]
            if waiting and time.monotonic() > deadline:
                raise self._failure(waiting[0], f"was not ready after {_START_TIMEOUT:.0f} s")
            time.sleep(0.03 if waiting else 0)

    def _start_part(self, current: Record, part: Part) -> None:
        log = self.log(part.name)
        self._log_starts[part.name] = log.stat().st_size if log.exists() else 0
        for folder in (self.state / part.name, self.state / "run" / part.name):
            folder.mkdir(parents=True, exist_ok=True)
        self._say(f"{part.name} on port {part.port}")
        current.processes[part.name] = processes.start(part.command, {**clean(), **part.variables}, log)
        record.save(self.state, current)  # at once: whatever happens to us, the next command finds it

    def _is_ready(self, current: Record, part: Part) -> bool:
        if not processes.alive(current.processes[part.name]):
            raise self._failure(part, "ended while starting")
        return ready.answers(part.probe, "127.0.0.1", part.port)

    def _failure(self, part: Part, what: str) -> CloudError:
        log = self.log(part.name)
        with log.open("rb") as file:
            file.seek(self._log_starts.get(part.name, 0))
            tail = file.read().decode(errors="replace").splitlines()[-_LOG_TAIL_LINES:]
        return CloudError("\n".join([f"{part.name} {what}; the end of its log, {log}:", *tail]))

    def _stop(self, current: Record) -> None:
        for wave in parts_of.STOP_ORDER:
            running = {name: current.processes[name] for name in wave if name in current.processes}
            if running:
                self._say(f"stopping {' and '.join(running)}")
                processes.end(running.values())
        record.remove(self.state)

    def _check(self) -> None:
        if self._cancelled():
            raise Interrupted("interrupted")
