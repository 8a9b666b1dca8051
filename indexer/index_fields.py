"""What both engines store of a document: terms by text field, and plain values to narrow by.

The boosts stand here as well, so that the engines weigh alike. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from indexer.analysis import LANGUAGES, OTHER, code_prefixes, code_term, index_terms
from indexer.document import ProductDocument
from indexer.engine import FacetCount
from indexer.folding import key
from kernel.categories import categories

LABEL_MARK = "\x1f"
"""Stands between the value and the label of a facet: `m-darty\x1fDarty`."""

MAX_TERMS = 2_000
"""Terms of one field that count; a longer description says little new."""

BOOSTS = {"title": 3.0, "category": 1.5, "description": 0.7}
MANUFACTURER = "manufacturer_words"
ATTRIBUTES = "attribute_words"
CODES = "codes"
CODE_PREFIXES = "code_prefixes"
NEUTRAL_BOOSTS = {MANUFACTURER: 2.0, ATTRIBUTES: 0.8}
CODE_BOOST, PREFIX_BOOST = 12.0, 2.0
OTHER_LANGUAGE = 0.4
"""Share of a field's boost when it is not in the reader's language."""
TIE_BREAKER = 0.1
"""Share of the weaker fields in a word's score (dis_max)."""
ALL_WORDS_BONUS = 1_000.0
"""Lifts products with all words above those with half of them."""

TEXT_FIELDS = (
    *(f"{name}_{language}" for name in BOOSTS for language in (*LANGUAGES, OTHER)),
    MANUFACTURER,
    ATTRIBUTES,
    CODES,
    CODE_PREFIXES,
)

AVAILABILITIES = ("in_stock", "backorder", "preorder", "unknown", "out_of_stock")


@dataclass(frozen=True, slots=True)
class PlainFields:
    """Values to narrow, count and sort by. Labelled values carry their label after LABEL_MARK."""

    product_id: str
    categories: tuple[str, ...]
    manufacturer: str | None
    manufacturer_label: str | None
    merchants: tuple[str, ...]
    merchant_labels: tuple[str, ...]
    availability: str
    variant_group: str | None
    total: int | None
    offer_count: int
    updated_at: int
    category_id: int


def plain_fields(document: ProductDocument) -> PlainFields:
    """Values of a document; a category that the tree does not know is counted and has no words."""
    names = {offer.merchant_id: offer.merchant_name for offer in document.offers}
    return PlainFields(
        product_id=document.product_id,
        categories=tuple(str(category) for category in document.category_path),
        manufacturer=key(document.manufacturer or "") or None,
        manufacturer_label=_labelled(key(document.manufacturer or ""), document.manufacturer),
        merchants=document.merchant_ids,
        merchant_labels=tuple(
            f"{merchant}{LABEL_MARK}{names.get(merchant, merchant)}"
            for merchant in document.merchant_ids
        ),
        availability=document.availability,
        variant_group=document.variant_group,
        total=document.total_minor,
        offer_count=document.offer_count,
        updated_at=int(datetime.fromisoformat(document.updated_at).timestamp()),
        category_id=document.category_id or 0,
    )


def _labelled(value: str, label: str | None) -> str | None:
    return f"{value}{LABEL_MARK}{label}" if value and label else None


def facet_counts(buckets: Iterable[tuple[str, int]]) -> tuple[FacetCount, ...]:
    """Counts of (labelled) values, most frequent first. Spellings of one value are one."""
    found: dict[str, FacetCount] = {}
    for labelled, count in sorted(buckets, key=lambda bucket: (-bucket[1], bucket[0])):
        value, _, label = labelled.partition(LABEL_MARK)
        held = found.get(value)
        most_used = held.label if held else label or value
        found[value] = FacetCount(value, most_used, count + (held.count if held else 0))
    return tuple(sorted(found.values(), key=lambda row: (-row.count, row.value)))


def text_fields(document: ProductDocument) -> dict[str, str]:
    """Terms joined by blanks, for each text field that has any."""
    texts: dict[str, list[str]] = {}
    for name, by_language in (("title", document.titles), ("description", document.descriptions)):
        for language, text in by_language.items():
            field_language = language if language in LANGUAGES else OTHER
            texts.setdefault(f"{name}_{field_language}", []).extend(
                index_terms(text[:20_000], field_language)
            )
    known = categories()
    for language in LANGUAGES:
        names = [known[id_].name(language) for id_ in document.category_path if id_ in known]
        texts[f"category_{language}"] = index_terms(" ".join(names), language)
    leaf = known.get(document.category_id or 0)
    if leaf is not None:
        words = leaf.words
        texts[f"category_{OTHER}"] = index_terms(" ".join(words), OTHER)
    texts[MANUFACTURER] = index_terms(document.manufacturer or "", OTHER)
    texts[ATTRIBUTES] = index_terms(" ".join(document.attributes.values())[:20_000], OTHER)
    texts[CODES] = [code_term(code) for code in (*document.gtins, *document.mpns, *document.skus)]
    texts[CODE_PREFIXES] = [part for code in document.mpns for part in code_prefixes(code)]
    return {name: " ".join(terms[:MAX_TERMS]) for name, terms in texts.items() if terms}


def numeric_key(product_id: str) -> int:
    """64 bits of the id's hash: the key of its vector."""
    return int.from_bytes(hashlib.sha256(product_id.encode()).digest()[:8], "big") >> 1
