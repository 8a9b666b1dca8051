"""What was worked out or said about merchants' categories, and the names an operator has loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import sqlalchemy as sa

from kernel.db import Prepared, Transaction
from kernel.errors import DomainError
from mdm.taxonomy.names import Named
from mdm.taxonomy.placement import Placement, Remembered
from mdm.taxonomy.tree import parents

MAX_REMEMBERED = 20_000
MAX_PATH = 500


_REMEMBERED = Prepared(
    sa.text(
        "SELECT category_text, google_id, percent, decided_by FROM mdm.category_mapping "
        "WHERE source_id = :source AND percent >= :least "
        "ORDER BY decided_by <> 'steward', category_text LIMIT :most"
    )
)


def remembered_categories(tx: Transaction, source_id: str, *, least_percent: int = 0) -> Remembered:
    """By category text of one source, what is at least so sure; a steward's words first, where
    there are too many."""
    return asked_categories(tx, source_id, least_percent=least_percent)()


def asked_categories(
    tx: Transaction, source_id: str, *, least_percent: int = 0
) -> Callable[[], Remembered]:
    """The same, asked for now and read when it is called: for statements that are sent together."""
    asked = _REMEMBERED.asked(
        tx, {"source": source_id, "most": MAX_REMEMBERED, "least": least_percent}
    )
    return lambda: {
        row.category_text: Placement(row.google_id, row.percent, row.decided_by)
        for row in asked.fetchall()
    }


def remember(
    tx: Transaction, source_id: str, category_text: str, found: Placement, now: datetime
) -> None:
    """Keep a placement; what a steward said is replaced by a steward only."""
    tx.execute(
        sa.text(
            "INSERT INTO mdm.category_mapping AS m "
            "(source_id, category_text, google_id, percent, decided_by, decided_at) "
            "VALUES (:source, :text, :google, :percent, :by, :now) "
            "ON CONFLICT (source_id, category_text) DO UPDATE SET "
            "(google_id, percent, decided_by, decided_at) = "
            "(EXCLUDED.google_id, EXCLUDED.percent, EXCLUDED.decided_by, EXCLUDED.decided_at) "
            "WHERE m.decided_by <> 'steward' OR EXCLUDED.decided_by = 'steward'"
        ),
        {
            "source": source_id,
            "text": category_text,
            "google": found.google_id,
            "percent": found.percent,
            "by": found.by,
            "now": now,
        },
    )


def forget(tx: Transaction, source_id: str, category_text: str) -> None:
    """As if nobody had ever said anything about it."""
    tx.execute(
        sa.text(
            "DELETE FROM mdm.category_mapping WHERE source_id = :source AND category_text = :text"
        ),
        {"source": source_id, "text": category_text},
    )


def load_names(tx: Transaction, language: str, lines: Iterable[str]) -> int:
    """Keep the names of a file as Google publishes it (`id - path`); returns how many.

    Names of the same language are replaced. DomainError `taxonomy_file` names the line.
    """
    rows = [
        {"id": google_id, "language": language, "path": path}
        for google_id, path in _read(lines)
        if google_id in parents()
    ]
    if not rows:
        raise DomainError("taxonomy_file", "The file names no id of the taxonomy.")
    tx.execute(
        sa.text("DELETE FROM mdm.category_name WHERE language = :language"), {"language": language}
    )
    tx.execute(
        sa.text(
            "INSERT INTO mdm.category_name (google_id, language, path) "
            "VALUES (:id, :language, :path) ON CONFLICT DO NOTHING"
        ),
        rows,
    )
    return len(rows)


def loaded_names(tx: Transaction) -> list[Named]:
    """The last segment of every path that was loaded."""
    rows = tx.execute(
        sa.text("SELECT google_id, language, path FROM mdm.category_name ORDER BY 1, 2")
    )
    return [Named(row.google_id, row.language, row.path.rpartition(" > ")[2]) for row in rows]


def _read(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        text = line.strip().lstrip("\ufeff")
        if not text or text.startswith("#"):
            continue
        google_id, dash, path = text.partition(" - ")
        if not dash or not google_id.isdecimal() or len(text) > MAX_PATH:
            raise DomainError(
                "taxonomy_file",
                f"Line {number} is not `id - path`",
                hint="Download Google's taxonomy with ids, as a text file.",
            )
        yield int(google_id), path.strip()
