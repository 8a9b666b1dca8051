"""Working out where merchants' categories belong that no name of ours places.

In: the category texts of live offers. For each, in this order: names that an operator has loaded,
what the titles of its offers say where most agree, nearness in meaning to our names. Kept with how
sure it is; what is not sure enough is only proposed, and waits for a steward.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import sqlalchemy as sa

from kernel.db import Transaction
from mdm.match.neighbours import TitleEncoder
from mdm.taxonomy.memory import loaded_names, remember, remembered_categories
from mdm.taxonomy.names import NameIndex, own_names, segments_of
from mdm.taxonomy.placement import APPLIED_PERCENT, NAMED, Placement, by_path

MAX_TEXTS = 50_000
MOST_AGREE_PERCENT = 60

# (cosine to the nearest name, how often that name is right in per cent): the lowest figures of
# seven languages over the whole taxonomy, most of which we have no name for (docs/benchmarks.md).
_SURE = ((0.5, 20), (0.6, 25), (0.7, 32), (0.8, 50), (0.9, 82), (1.0, 95))


@dataclass(frozen=True, slots=True)
class CategoryText:
    """A category of a source, with how many live offers it has and what their titles say."""

    source_id: str
    text: str
    offers: int
    by_title: int | None = None
    title_percent: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A category that is not sure, with what is proposed for it; the largest come first."""

    source_id: str
    text: str
    offers: int
    proposed: Placement | None


def map_categories(
    tx: Transaction, encoder: TitleEncoder, now: datetime
) -> dict[tuple[str, str], Placement]:
    """Place every category text that neither our names nor a steward place; keeps and answers
    what was found. Those placed anew and surely are for `corrections.take_effect`."""
    waiting = [each for each in category_texts(tx) if not _is_named(each.text)]
    known = {source: remembered_categories(tx, source) for source in {w.source_id for w in waiting}}
    open_ = [
        each
        for each in waiting
        if (kept := known[each.source_id].get(each.text)) is None or kept.by != "steward"
    ]
    if not open_:
        return {}
    loaded = NameIndex(loaded_names(tx))
    meant = _by_meaning([each.text for each in open_], encoder)
    found = {}
    for each, nearest in zip(open_, meant, strict=True):
        placement = _by_loaded_names(each.text, loaded) or _by_titles(each) or nearest
        if placement is not None and placement != known[each.source_id].get(each.text):
            remember(tx, each.source_id, each.text, placement, now)
            found[each.source_id, each.text] = placement
    return found


def waiting_categories(tx: Transaction, limit: int = 100) -> list[Waiting]:
    """What a steward may want to look at: the categories of most offers first."""
    found = []
    memories: dict[str, dict[str, Placement]] = {}
    for each in category_texts(tx):
        if _is_named(each.text):
            continue
        memory = memories.setdefault(
            each.source_id, dict(remembered_categories(tx, each.source_id))
        )
        kept = memory.get(each.text)
        if kept is None or (kept.by != "steward" and kept.percent < APPLIED_PERCENT):
            found.append(
                Waiting(each.source_id, each.text, each.offers, kept or by_path(each.text))
            )
    found.sort(key=lambda each: (-each.offers, each.source_id, each.text))
    return found[:limit]


def category_texts(tx: Transaction) -> list[CategoryText]:
    """Every category text of live offers, bounded, the largest first."""
    rows = tx.execute(
        sa.text(
            "WITH texts AS (SELECT source_id, facts ->> 'category_text' AS text, "
            "count(*) AS offers FROM mdm.offer WHERE live "
            "AND facts ->> 'category_text' IS NOT NULL "
            "GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT :most) "
            "SELECT t.*, b.google_id, b.saying FROM texts t LEFT JOIN LATERAL ("
            "SELECT (o.facts ->> 'google_category_id')::integer AS google_id, count(*) AS saying "
            "FROM mdm.offer o WHERE o.live AND o.source_id = t.source_id "
            "AND o.facts ->> 'category_text' = t.text AND o.facts ->> 'category_by' = 'title' "
            "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1) b ON true ORDER BY t.offers DESC, 1, 2"
        ),
        {"most": MAX_TEXTS},
    )
    return [
        CategoryText(
            row.source_id, row.text, row.offers, row.google_id,
            100 * (row.saying or 0) // row.offers,
        )
        for row in rows
    ]  # fmt: skip


def nearest_names(texts: Sequence[str], encoder: TitleEncoder) -> list[tuple[int, float]]:
    """(id of the nearest of our names, cosine) of each text's last segment."""
    names = own_names()
    table = encoder.encode([each.name for each in names])
    leaves = [(segments_of(text) or [text])[-1] for text in texts]
    near = encoder.encode(leaves) @ table.T
    best = near.argmax(axis=1)
    return [
        (names[place].google_id, float(near[row, place])) for row, place in enumerate(best.tolist())
    ]


def sure_percent(cosine: float) -> int:
    """How often a nearest name of that cosine is the right one, in per cent; grows with it."""
    if cosine < _SURE[0][0]:
        return 0
    for (low, less), (high, more) in pairwise(_SURE):
        if cosine <= high:
            return int(less + (more - less) * (cosine - low) / (high - low))
    return _SURE[-1][1]


def _by_meaning(texts: Sequence[str], encoder: TitleEncoder) -> list[Placement | None]:
    return [
        Placement(google_id, percent, "meaning") if (percent := sure_percent(cosine)) else None
        for google_id, cosine in nearest_names(texts, encoder)
    ]


def _by_loaded_names(text: str, loaded: NameIndex) -> Placement | None:
    found = loaded.along(segments_of(text))
    return Placement(found, NAMED, "names") if found else None


def _by_titles(each: CategoryText) -> Placement | None:
    """Several offers whose titles agree are surer than one title is."""
    if each.by_title is None or each.title_percent < MOST_AGREE_PERCENT or each.offers < 3:
        return None
    return Placement(each.by_title, APPLIED_PERCENT, "titles")


def _is_named(text: str) -> bool:
    named = by_path(text)
    return named is not None and named.percent >= NAMED
