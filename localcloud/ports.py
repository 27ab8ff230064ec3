"""Which port each part listens on."""

import random
import socket
import sys

from localcloud.errors import CloudError

DEFAULTS = {
    "bucket": 4443,
    "bus": 8085,
    "warehouse": 9050,
    "warehouse-grpc": 9060,
    "ingest": 8081,
    "merge": 8082,
    "metrics": 8086,
}
FREE, USUAL = 0, -1
# Below the range that systems hand to outgoing connections: a part that is started again finds its port free.
_FREE_RANGE = range(20000, 32000)

Ports = dict[str, int]

_claims: list[socket.socket] = []


def choose(port_base: int) -> Ports:
    """The default ports (USUAL), free ones (FREE), or port_base, port_base + 1, … in the order of DEFAULTS."""
    if port_base == USUAL:
        return dict(DEFAULTS)
    if port_base == FREE:
        return _free()
    if not 1024 <= port_base <= 65535 - len(DEFAULTS):
        raise CloudError(f"--port-base {port_base}: give 0 (free ports), or 1024 to {65535 - len(DEFAULTS)}")
    return {name: port_base + offset for offset, name in enumerate(DEFAULTS)}


def complete(ports: Ports) -> Ports:
    """Adds the ports that the earlier version which recorded `ports` did not have."""
    is_usual = all(DEFAULTS.get(name) == port for name, port in ports.items())
    missing = [name for name in DEFAULTS if name not in ports]
    more = {name: max(ports.values()) + offset for offset, name in enumerate(missing, 1)}
    return {**ports, **(DEFAULTS if is_usual else more)}


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _is_ours(port: int) -> bool:
    """Whether no other process that is starting a local cloud has chosen it, even if it does not listen yet."""
    if sys.platform != "linux":
        return True
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0dropmerge-port-{port}")  # a name without a file, gone with the process
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    return True


def _free() -> Ports:
    candidates = random.sample(_FREE_RANGE, 1000)
    found = (port for port in candidates if _is_ours(port) and is_free(port))
    return dict(zip(DEFAULTS, found, strict=False))
