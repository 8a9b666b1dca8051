"""Resident memory of processes, in MB."""

from __future__ import annotations

from pathlib import Path


def resident_mb(pid: int) -> float:
    """What a process holds now."""
    return _of_status(pid, "VmRSS")


def own_mb(pid: int) -> float:
    """Of that, what is no file's: the system cannot take it back, nor share it."""
    return _of_status(pid, "RssAnon")


def _of_status(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def of_tree(pid: int) -> float:
    """A process and all that it started."""
    import psutil

    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(resident_mb(member.pid) for member in family)
