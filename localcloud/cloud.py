"""The local cloud of one state folder: start it, read where it runs, stop it."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from deploy import topology
from deploy.topology import ROOT, SERVICES
from localcloud import parts as parts_of
from localcloud import ports as ports_of
from localcloud import processes, provision, ready, record
from localcloud.contracts import differences, read_contracts
from localcloud.environment import clean
from localcloud.errors import CloudError, Interrupted
from localcloud.lock import is_held, only_one
from localcloud.parts import Part, Plan
from localcloud.record import Record

_START_TIMEOUT = 60.0
_FIRST_ANSWER = 10.0
"""Seconds for a function's first answer."""
_LOG_TAIL_LINES = 20
_FOLDERS = {"feeds": ROOT / "deploy" / "feeds", "services": ROOT / "services"}
# Seconds; the functions' server lets running requests finish for 30 s.
_RESTART_PATIENCE = 35.0


class LocalCloud:
    """A local cloud kept in `state`. `say` takes progress lines; `cancelled` is asked while waiting.

    `check_feeds` is given the folder of contracts before a function is started, and may raise CloudError.
    """

    def __init__(
        self,
        state: Path,
        say: Callable[[str], None] = lambda line: None,
        cancelled: Callable[[], bool] = lambda: False,
        environ: Mapping[str, str] = os.environ,
        check_feeds: Callable[[Path], None] = lambda folder: None,
    ) -> None:
        self.state = state.resolve()
        self._say = say
        self._cancelled = cancelled
        self._environ = environ
        self._check_feeds = check_feeds
        self._log_starts: dict[str, int] = {}

    def up(
        self,
        port_base: int | None = None,
        feeds: Path | None = None,
        services: Path | None = None,
        restart: bool = False,
    ) -> dict[str, str]:
        """Start whatever is not running and await it; if that fails, stop everything again.

        What is None is as it was the last time. `restart`: end the functions that run and start them again; if that
        fails, the other parts go on.
        """
        # Slow to import: done here, since `read` and `down` do not need it.
        from google.api_core.exceptions import GoogleAPIError

        with only_one(self.state, self._check, self._say):
            current = self._settle(port_base, feeds, services)
            alive = [name for name in SERVICES if name not in self.dead(current)]
            to_restart = alive if restart and current.ready else []
            if len(alive) < len(SERVICES) or to_restart:
                self._check_feeds(Path(current.feeds))
            undo = self._stop_functions if to_restart else self._stop
            try:
                if to_restart:
                    self._end_gracefully(current, to_restart)
                if current.ready and not self.dead(current):
                    self._say(f"the local cloud in {self.state} is running")
                else:
                    self._start(current, self.dead(current))
            except GoogleAPIError as error:
                undo(current)
                raise CloudError(f"all parts are running, but creating topics and buckets failed: {error}") from error
            except BaseException:
                undo(current)
                raise
            self._say_differences(current)
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
            raise CloudError(f"no local cloud is running in {self.state}: start one with `dropmerge up`")
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

    def is_running(self) -> bool:
        """Whether any part of it runs."""
        current = record.load(self.state)
        return current is not None and any(map(processes.alive, current.processes.values()))

    def is_changing(self) -> bool:
        """Whether an `up` or `down` is at work on it, so that parts come and go."""
        return is_held(self.state)

    def log(self, name: str) -> Path:
        """Where a part's output goes."""
        return self.state / "logs" / f"{name}.log"

    def _settle(self, port_base: int | None, feeds: Path | None, services: Path | None) -> Record:
        """The record to continue from: the one on disk while any of its parts runs, else a new one."""
        current = record.load(self.state)
        if current is not None and len(self.dead(current)) < len(current.processes):
            self._refuse_other(current, port_base, feeds, services)
            return current
        if current is not None:
            processes.end(current.processes.values())  # what dead parts left behind
            self._keep_choice(current)
        last, external = record.load_last(self.state), self._external_pubsub()
        ports = self._ports(port_base, last)
        return Record(
            ports=ports,
            feeds=str(_folder("feeds", feeds, last)),
            services=str(_folder("services", services, last)),
            bus_host=external or f"127.0.0.1:{ports['bus']}",
            own_bus=external is None,
            any_ports=port_base == ports_of.FREE or (port_base is None and last is not None and last.any_ports),
        )

    def _ports(self, port_base: int | None, last: Record | None) -> ports_of.Ports:
        if port_base is not None or last is None:
            return ports_of.choose(ports_of.USUAL if port_base is None else port_base)
        if last.any_ports and not all(map(ports_of.is_free, last.ports.values())):
            self._say("some of the ports used last time are taken: choosing others")
            return ports_of.choose(ports_of.FREE)
        return last.ports

    def _keep_choice(self, current: Record) -> None:
        """For the next `up`. A default is kept as such: it moves with the project."""
        feeds, services = (
            "" if folder == str(_FOLDERS[name]) else folder
            for name, folder in (("feeds", current.feeds), ("services", current.services))
        )
        last = replace(current, feeds=feeds, services=services, processes={}, ready=False, contracts={})
        record.save_last(self.state, last)

    def _refuse_other(self, current: Record, port_base: int | None, feeds: Path | None, services: Path | None) -> None:
        differs = {
            "ports": port_base not in (None, ports_of.FREE) and ports_of.choose(port_base) != current.ports,
            "feeds": feeds is not None and str(feeds.resolve()) != current.feeds,
            "services": services is not None and str(services.resolve()) != current.services,
        }
        for what in (name for name, is_other in differs.items() if is_other):
            raise CloudError(
                f"the local cloud in {self.state} is already running with different {what}; run `dropmerge down` first"
            )

    def _external_pubsub(self) -> str | None:
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
                self._say("creating datasets, tables, topics and subscriptions")
                provision.create_datasets(wanted, plan.url("warehouse"))
                provision.create_tables(wanted, plan.url("warehouse"))
                provision.create_messaging(wanted, plan.bus_host, lambda name: f"{plan.url(name)}/", current.own_bus)
            self._start_wave(current, [parts[name] for name in wave if name in missing])
        self._check()
        self._say("creating buckets")
        provision.create_buckets(wanted, plan.url("bucket"))
        self._check()
        for name in SERVICES:
            # Only now can it write to the journal which contracts it runs.
            ready.answers(f"{plan.url(name)}/", "127.0.0.1", plan.ports[name], _FIRST_ANSWER)
        # Views read the journal, which a service may have had to upgrade when it started.
        current.ready = True
        record.save(self.state, current)

    def _require_free_ports(self, part: Part) -> None:
        for name, port in part.ports.items():
            deadline = time.monotonic() + 2  # a port just given up may need a moment
            while not ports_of.is_free(port):
                if time.monotonic() > deadline:
                    raise CloudError(
                        f"port {port}, which {name} needs, is taken: stop the process that listens on it,"
                        " or choose others with --port-base N (0 picks free ones, default the usual ones)"
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
        if part.name in SERVICES:
            current.contracts[part.name] = read_contracts(Path(current.feeds))
        self._say(f"starting {part.name} on port {part.port}")
        current.processes[part.name] = processes.start(part.command, {**clean(), **part.variables}, log)
        record.save(self.state, current)  # at once, so that the next command finds it whatever happens to this process

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
        if current.ready:
            self._keep_choice(current)
        record.remove(self.state)

    def _end_gracefully(self, current: Record, names: list[str]) -> None:
        self._say(f"stopping {' and '.join(names)}, after they finish the messages they are handling")
        processes.end([current.processes[name] for name in names], _RESTART_PATIENCE)

    def _stop_functions(self, current: Record) -> None:
        processes.end([current.processes[name] for name in SERVICES if name in current.processes])
        functions = " and ".join(SERVICES)
        self._say(f"{functions} are stopped; the other parts are running. Run `dropmerge up` to start them again")

    def _say_differences(self, current: Record) -> None:
        """Where the contracts on disk are not those that a function was started with."""
        now, started = read_contracts(Path(current.feeds)), current.contracts
        found = {name: differences(started[name], now) for name in SERVICES if name in started}
        for lines in {tuple(lines): None for lines in found.values() if lines}:
            names = " and ".join(name for name, own in found.items() if tuple(own) == lines)
            self._say(f"the contracts on disk differ from those that {names} started with: {', '.join(lines)}")
        if any(found.values()):
            self._say("run `dropmerge up --restart` to restart both services with the ones on disk")

    def _check(self) -> None:
        if self._cancelled():
            raise Interrupted("interrupted")


def _folder(name: str, given: Path | None, last: Record | None) -> Path:
    if given is not None:
        return given.resolve()
    kept = getattr(last, name, "")
    if not kept:
        return _FOLDERS[name]
    if not Path(kept).is_dir():
        raise CloudError(
            f"{kept}, the folder that an earlier `up` was given as --{name}, no longer exists: give another,"
            f" or the default, --{name} {_FOLDERS[name]}"
        )
    return Path(kept)
