"""Runs the spider in a process of its own, which cannot harm ours and ends with its time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mdm.raw_offer import Refusal

# What a spider needs of our surroundings: no key, password or address of a database among them.
PASSED_ON = ("PATH", "PYTHONPATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "SSL_CERT_FILE")
# Seconds that the spider has to end by itself after its own limit.
GRACE_S = 60.0
POLL_S = 0.2
BOUNDS = {
    "max_pages": "--max-pages",
    "max_seconds": "--max-seconds",
    "max_page_bytes": "--max-page-bytes",
    "max_total_bytes": "--max-total-bytes",
    "delay_s": "--delay-s",
    "requests_at_once": "--requests-at-once",
}


def run_spider(
    start_url: str,
    out: Path,
    *,
    allow_hosts: frozenset[str],
    bounds: Mapping[str, Any],
    progress: Callable[[int], None] | None = None,
) -> Refusal | None:
    """Crawl into a file of JSON lines. None, or why the file is not the whole shop."""
    command = [sys.executable, "-m", "crawlers.spiders.json_ld"]
    command += ["--start-url", start_url, "--out", str(out)]
    for host in sorted(allow_hosts):
        command += ["--allow-host", host]
    for name, option in BOUNDS.items():
        if name in bounds:
            command += [option, str(bounds[name])]
    log = out.with_suffix(".log")
    out.touch()
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=errors, env=_surroundings()
        )
        ended = _wait(process, out, float(bounds.get("max_seconds", 3600.0)), progress)
    said = log.read_bytes()[-2_000:].decode("utf-8", "replace").strip()
    log.unlink()
    if not ended:
        return Refusal("feed_crawl_too_slow", "the crawl did not end in its time and was stopped")
    if process.returncode != 0:
        last = said.splitlines()[-1] if said else ""
        return Refusal(
            "feed_crawl_failed",
            f"the crawl ended with status {process.returncode}: {last}"[:300],
            hint="Offers that it had written are kept; nothing is withdrawn.",
        )
    return None


def _surroundings() -> dict[str, str]:
    root = str(Path(__file__).resolve().parents[1])
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {**passed, "PYTHONPATH": os.pathsep.join(filter(None, (root, passed.get("PYTHONPATH"))))}


def _wait(
    process: subprocess.Popen[bytes],
    out: Path,
    seconds: float,
    progress: Callable[[int], None] | None,
) -> bool:
    """True when the spider ended by itself. Ours ending takes it along."""
    deadline = time.monotonic() + seconds + GRACE_S
    lines, place = 0, 0
    try:
        while process.poll() is None and time.monotonic() < deadline:
            with out.open("rb") as file:
                file.seek(place)
                block = file.read()
            lines, place = lines + block.count(b"\n"), place + len(block)
            if progress is not None and block:
                progress(lines)
            time.sleep(POLL_S)
        return process.poll() is not None
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
