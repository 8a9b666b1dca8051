"""Processors this process may use: fewer than the machine has, where it was given a set."""

from __future__ import annotations

import os


def usable() -> int:
    """At least 1. A container's share of time, which is no set, is not seen here."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
