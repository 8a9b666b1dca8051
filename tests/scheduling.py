"""Which tests run in the same worker of a run in several: those that share an expensive start."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

_DEMO = re.compile(r"\bdemo: Demo\b")


class ByFile(LoadScopeScheduling):
    """A file's tests stay together, for they share a database; so do all tests of the demo."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid.partition("::")[0])


@cache
def scope_of(file: str) -> str:
    """The file itself, or the name of what it shares with other files."""
    source = Path(__file__).resolve().parents[1] / file
    return "demo" if _DEMO.search(source.read_text("utf-8")) else file
