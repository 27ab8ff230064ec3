"""The peak of a part's resident memory."""

from __future__ import annotations

from pathlib import Path

import psutil


def peak_mb(pid: int) -> float:
    """Of the largest process of a part: its master, or a worker (VmHWM, https://docs.kernel.org/filesystems/proc.html)."""
    master = psutil.Process(pid)
    peaks = [0]
    for process in [master, *master.children(recursive=True)]:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        peaks += [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")]
    return round(max(peaks) / 1024, 1)
