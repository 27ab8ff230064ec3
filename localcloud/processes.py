"""Starting, recognising and ending the processes of a part; each part leads a process group of its own."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.topology import ROOT

_IDLE_SHARE = 0.02  # of one processor; a server that waits for requests uses less
_SAME_START = 0.05  # seconds; the kernel counts process starts in hundredths
# Kept so that a part that ended is reaped, when this process is its parent.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Identity:
    """A process; its start time distinguishes it from a later one that got the same pid."""

    pid: int
    started: float


def start(command: list[str], variables: dict[str, str], log: Path) -> Identity:
    """Start a command in its own session, so that a terminal's Ctrl-C does not reach it before us."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            command, env=variables, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
    _children[child.pid] = child
    return Identity(child.pid, psutil.Process(child.pid).create_time())


def alive(identity: Identity) -> bool:
    """Whether this process still runs."""
    if child := _children.get(identity.pid):
        child.poll()
    try:
        process = psutil.Process(identity.pid)
        same = abs(process.create_time() - identity.started) < _SAME_START
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end(identities: Iterable[Identity], patience: float = 10.0) -> None:
    """SIGTERM to each process, then SIGKILL to whatever of their groups is left after `patience` seconds."""
    waiting = list(identities)
    for identity in waiting:
        if alive(identity):
            _signal(identity.pid, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while any(map(alive, waiting)) and time.monotonic() < deadline:
        time.sleep(0.02)
    for identity in waiting:
        _end_group(identity)


def _end_group(identity: Identity) -> None:
    # A gunicorn worker outlives a killed master by seconds and holds its port meanwhile.
    deadline = time.monotonic() + 5
    while (left := _group(identity)) and time.monotonic() < deadline:
        for pid in left:
            _signal(pid, signal.SIGKILL)
        alive(identity)  # reaps
        time.sleep(0.02)


def _group(identity: Identity) -> list[int]:
    """The running processes of the group this process led, or none when another process has its pid now."""
    members = []
    for process in psutil.process_iter():
        try:
            # A process older than the leader is not of its group.
            older = process.create_time() < identity.started - _SAME_START
            if older or os.getpgid(process.pid) != identity.pid or process.status() == psutil.STATUS_ZOMBIE:
                continue
            members.append(process.pid)
        except (psutil.NoSuchProcess, ProcessLookupError, PermissionError):
            continue
    return [] if identity.pid in members and not alive(identity) else members


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def is_working(pid: int, seconds: float, has_answered: Callable[[], bool]) -> bool:
    """Whether a process used the processor, or waited for a disk, within these seconds; False if it is gone.

    The look ends once `has_answered`: a process that did what it was asked rests.
    """
    try:
        process = psutil.Process(pid)
        before = sum(process.cpu_times()[:2])
        deadline = time.monotonic() + seconds
        while not has_answered() and time.monotonic() < deadline:
            if _waits_for_a_disk(process):
                return True
            time.sleep(0.1)
        return sum(process.cpu_times()[:2]) - before > _IDLE_SHARE * seconds
    except psutil.NoSuchProcess:
        return False


def _waits_for_a_disk(process: psutil.Process) -> bool:
    """Whether one of its threads does: the status of a process is that of its first thread alone."""
    for thread in process.threads():
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(thread.id).status() == psutil.STATUS_DISK_SLEEP:
                return True
    return False
