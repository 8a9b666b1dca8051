"""Bring a merchant's feed to disk, once for each change.

In: an address and what was remembered of it. Out: a file, or word that nothing changed. What is
remembered is written only after the file has landed, so a crash costs a download, never an offer.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import sqlalchemy as sa

from kernel.db import Transaction
from kernel.errors import DomainError
from kernel.http import GuardedClient


@dataclass(frozen=True, slots=True)
class SourceState:
    """What is known of the last feed that landed from an address."""

    etag: str | None = None
    last_modified: str | None = None
    content_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """`path` is None when the feed is the one that landed last."""

    path: Path | None
    state: SourceState


class _HashingSink:
    """Writes and hashes."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self.digest = hashlib.sha256()

    def write(self, block: bytes) -> int:
        self.digest.update(block)
        return self._target.write(block)


def fetch(client: GuardedClient, url: str, known: SourceState, folder: Path) -> Fetched:
    """Download into the folder. Raises DomainError where the server or the address is no good."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.feed"
    partial = target.with_suffix(".part")
    with partial.open("wb") as file:
        sink = _HashingSink(file)
        answer = client.download(url, cast("BinaryIO", sink), _conditions(known))
    if answer.status == 304 and known.content_sha256:
        partial.unlink()
        return Fetched(None, known)
    if answer.status != 200:
        partial.unlink()
        raise DomainError(
            "feed_unavailable",
            f"The server answered {answer.status} for {url[:200]}",
            hint="Offers stay as they are until the feed can be read again.",
            status=502,
        )
    state = SourceState(
        etag=_header(answer.headers.get("etag")),
        last_modified=_header(answer.headers.get("last-modified")),
        content_sha256=sink.digest.hexdigest(),
    )
    if state.content_sha256 == known.content_sha256:
        partial.unlink()
        return Fetched(None, state)
    partial.replace(target)
    return Fetched(target, state)


def _conditions(known: SourceState) -> dict[str, str]:
    conditions = {"if-none-match": known.etag, "if-modified-since": known.last_modified}
    return {name: value for name, value in conditions.items() if value}


def _header(value: str | None) -> str | None:
    return value if value and len(value) <= 500 else None


def known_state(tx: Transaction, merchant_id: str, url: str) -> SourceState:
    """What was remembered of an address; empty for a new one."""
    row = tx.execute(
        sa.text(
            "SELECT etag, last_modified, content_sha256 FROM crawlers.source_state "
            "WHERE merchant_id = :merchant AND url = :url"
        ),
        {"merchant": merchant_id, "url": url},
    ).one_or_none()
    return SourceState(*row) if row is not None else SourceState()


def remember(tx: Transaction, merchant_id: str, url: str, state: SourceState) -> None:
    """The feed with this state has landed."""
    values: dict[str, Any] = {
        "merchant": merchant_id,
        "url": url,
        "etag": state.etag,
        "modified": state.last_modified,
        "sha256": state.content_sha256,
    }
    tx.execute(
        sa.text(
            "INSERT INTO crawlers.source_state "
            "(merchant_id, url, etag, last_modified, content_sha256) "
            "VALUES (:merchant, :url, :etag, :modified, :sha256) "
            "ON CONFLICT (merchant_id, url) DO UPDATE SET etag = EXCLUDED.etag, "
            "last_modified = EXCLUDED.last_modified, content_sha256 = EXCLUDED.content_sha256, "
            "landed_at = now()"
        ),
        values,
    )
