"""The outside archive of terms of sale: every version, byte for byte, under the hash of its text.

A version is due for a place as long as no receipt of that place is on record, so publishing it is
all that is needed: nothing can be forgotten, and a place that is away is asked again until it has
everything. What lies in an archive is never written over.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from checkout.mail import Letter, MailLaterError, send
from checkout.order_letters import Post
from kernel.db import Database
from kernel.errors import DomainError
from kernel.ids import derived_id
from tenants.terms import Deposit, Terms, note_deposit, undeposited

_LOG = logging.getLogger(__name__)

AT_ONCE = 50


class Place(Protocol):
    """Somewhere outside. `name` is on record with each receipt."""

    @property
    def name(self) -> str:
        """The name."""
        ...

    def deposit(self, terms: Terms, now: datetime) -> str:
        """Put a version there, once or again; answers the receipt. DomainError: not now."""
        ...


def archive_terms(database: Database, places: Sequence[Place], now: datetime) -> int:
    """Deposit what is not everywhere yet; answers how many deposits were made."""
    made = 0
    for place in places:
        with database.platform() as tx:
            due = undeposited(tx, place.name, AT_ONCE)
        for terms in due:
            try:
                receipt = place.deposit(terms, now)
            except (MailLaterError, OSError) as error:
                _LOG.warning("%s cannot be used now: %s", place.name, error)
                break
            except DomainError as error:
                # What one version met says nothing about the others.
                _LOG.error("%s refuses terms of %s: %s", place.name, terms.owner_id, error)
                continue
            with database.platform() as tx:
                note_deposit(tx, terms, Deposit(place.name, receipt, now))
            made += 1
    return made


def record_of(terms: Terms) -> bytes:
    """What a text is, as it lies beside the text: whose, which version, since when, its hash."""
    record = {
        "party": terms.party,
        "owner": terms.owner_id,
        "language": terms.language,
        "version": terms.version,
        "sha256": terms.sha256,
        "published_at": terms.published_at.isoformat(),
        "valid_from": terms.valid_from.isoformat(),
    }
    return (json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


@dataclass(frozen=True, slots=True)
class ArchiveFolder:
    """A folder of files named by the hash of their content, such as a mounted bucket."""

    folder: Path
    name: str = "folder"

    def deposit(self, terms: Terms, now: datetime) -> str:
        """The text and its record, each under its own hash; the receipt names both."""
        del now
        self.folder.mkdir(parents=True, exist_ok=True)
        text = _write_once(self.folder, terms.body.encode(), ".md")
        record = _write_once(self.folder, record_of(terms), ".json")
        return f"{text} {record}"

    def holds(self, receipt: str) -> bool:
        """True where every file of a receipt is there and still has the content of its name."""
        return all(_is_whole(self.folder / name) for name in receipt.split())


def _is_whole(file: Path) -> bool:
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == file.stem


def _write_once(folder: Path, content: bytes, suffix: str) -> str:
    """Put a file under the hash of its content. DomainError where another content is there."""
    target = folder / f"{hashlib.sha256(content).hexdigest()}{suffix}"
    if not target.exists():
        beside = target.with_suffix(f".{os.getpid()}.tmp")
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(0o444)
        beside.replace(target)
    if not _is_whole(target):
        raise DomainError(
            "archive_altered",
            f"{target} is not what was put there.",
            hint="Restore the archive from its own copy; it is never written over.",
        )
    return target.name


@dataclass(frozen=True, slots=True)
class ArchiveMailbox:
    """An address outside. The receipt is the Message-ID, the same however often it is sent."""

    post: Post
    address: str
    name: str = "mail"

    def deposit(self, terms: Terms, now: datetime) -> str:
        """The text and its record as attachments. Raises MailRefusedError or MailLaterError."""
        key = (terms.party, terms.owner_id, terms.language, str(terms.version), terms.sha256)
        message_id = f"{derived_id('trm', *key)}@{self.post.sender.rpartition('@')[2]}"
        what = f"{terms.party} {terms.owner_id}, version {terms.version} ({terms.language})"
        letter = Letter(
            to=self.address,
            sender=self.post.sender,
            sender_name="Comptoir",
            subject=f"Terms of sale: {what}",
            text=f"{what}\nin force from {terms.valid_from.isoformat()}\n{terms.sha256}\n",
            message_id=message_id,
            language="en",
            written_at=now,
            attached=(
                (f"{terms.sha256}.md", terms.body.encode()),
                ("record.json", record_of(terms)),
            ),
        )
        send(self.post.server, letter)
        return message_id
