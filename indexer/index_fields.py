"""What both engines store of a document: terms by text field, and plain values to narrow by.

What the engines add to a brand's weights stands here as well, so that they weigh alike. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from indexer import accessories, title_heads
from indexer.analysis import LANGUAGES, OTHER, code_prefixes, code_term, index_terms, shown_words
from indexer.document import ProductDocument
from indexer.engine import FacetCount
from indexer.folding import key
from indexer.price_steps import last_drop
from kernel.categories import categories
from kernel.offer_terms import Condition

LABEL_MARK = "\x1f"
"""Stands between the value and the label of a facet: `m-darty\x1fDarty`."""

MAX_TERMS = 2_000
"""Terms of one field that count; a longer description says little new."""

BY_LANGUAGE = ("title", "category", "description")
"""Fields with terms in each language, called `title_fr`."""
MANUFACTURER = "manufacturer_words"
MODEL = "model_words"
ATTRIBUTES = "attribute_words"
CODES = "codes"
CODE_PREFIXES = "code_prefixes"
TIE_BREAKER = 0.3
"""Share of the weaker fields in a word's score (dis_max)."""
ALL_WORDS_BONUS = 1_000.0
"""Lifts products with all words above those with half of them."""

TEXT_FIELDS = (
    *(f"{name}_{language}" for name in BY_LANGUAGE for language in (*LANGUAGES, OTHER)),
    MANUFACTURER,
    MODEL,
    ATTRIBUTES,
    CODES,
    CODE_PREFIXES,
)

TITLE_WORDS = {language: f"words_{language}" for language in (*LANGUAGES, OTHER)}
"""Words of titles as people see them, by language; makers under OTHER."""
OTHER_WORDS = TITLE_WORDS[OTHER]
ATTRIBUTE_WORDS = "words_attributes"
WORD_FIELDS = (*TITLE_WORDS.values(), ATTRIBUTE_WORDS)

MODEL_KEYS = ("model", "model_name", "product_name", "product_line", "series", "name")
"""Attributes that say what the maker calls the thing."""
_SAYS_NOTHING = frozenset(("yes", "no", "true", "false"))

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
    variant_groups: tuple[str, ...]
    total: int | None
    offer_count: int
    updated_at: int
    category_id: int
    attributes: dict[str, str]
    accessories: int
    """Bits of `indexer.accessories`."""
    before_head: int
    """Words of `indexer.title_heads`."""
    dropped_on: int | None
    drop: int | None
    """Day and thousandths of the last fall of the lowest price (`indexer.price_steps`)."""
    words: dict[str, str]
    """Words by field of WORD_FIELDS, joined by blanks."""


def plain_fields(document: ProductDocument) -> PlainFields:
    """Values of a document; a category that the tree does not know is counted and has no words."""
    names = {offer.merchant_id: offer.merchant_name for offer in document.offers}
    dropped_on, drop = last_drop(document.price_steps) or (None, None)
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
        variant_groups=document.variant_groups,
        total=document.total_minor,
        offer_count=document.offer_count,
        updated_at=int(datetime.fromisoformat(document.updated_at).timestamp()),
        category_id=document.category_id or 0,
        attributes={name[:60]: value[:200] for name, value in document.attributes.items() if name},
        accessories=accessories.of_titles(document.titles),
        before_head=title_heads.of_titles(document.titles, document.manufacturer or ""),
        dropped_on=dropped_on,
        drop=drop,
        words=_words(document),
    )


def _words(document: ProductDocument) -> dict[str, str]:
    """Words of titles and makers, and of the values of attributes."""
    found: dict[str, list[str]] = {OTHER_WORDS: shown_words((document.manufacturer or "")[:200])}
    for language, text in document.titles.items():
        name = TITLE_WORDS.get(language, OTHER_WORDS)
        found[name] = found.get(name, []) + shown_words(text[:2_000])
    found[ATTRIBUTE_WORDS] = shown_words(" ".join(document.attributes.values())[:20_000])
    return {name: " ".join(dict.fromkeys(words)) for name, words in found.items() if words}


def _labelled(value: str, label: str | None) -> str | None:
    return f"{value}{LABEL_MARK}{label}" if value and label else None


def facet_counts(buckets: Iterable[tuple[str, int]]) -> tuple[FacetCount, ...]:
    """Counts of (labelled) values, most frequent first. Spellings of one value are one."""
    found: dict[str, tuple[int, int, str]] = {}
    for labelled, count in buckets:
        value, _, label = labelled.partition(LABEL_MARK)
        total, most, said = found.get(value, (0, 0, ""))
        if count > most or (count == most and label < said):
            most, said = count, label
        found[value] = (total + count, most, said)
    rows = [FacetCount(value, said or value, total) for value, (total, _, said) in found.items()]
    rows.sort(key=most_frequent_first)
    return tuple(rows)


def most_frequent_first(row: FacetCount) -> tuple[int, str]:
    """The order of a facet's values."""
    return (-row.count, row.value)


def text_fields(document: ProductDocument) -> dict[str, str]:
    """Terms joined by blanks, for each text field that has any."""
    texts: dict[str, list[str]] = {}
    for name, by_language in (("title", document.titles), ("description", document.descriptions)):
        for language, text in by_language.items():
            field_language = language if language in LANGUAGES else OTHER
            texts.setdefault(f"{name}_{field_language}", []).extend(
                index_terms(text[:20_000], field_language)
            )
    texts |= _category_terms(document.category_path, document.category_id or 0)
    texts[MANUFACTURER] = index_terms(document.manufacturer or "", OTHER)
    texts[MODEL] = index_terms(_model(document)[:2_000], OTHER)
    texts[ATTRIBUTES] = index_terms(_attribute_text(document)[:20_000], OTHER)
    texts[CODES] = [code_term(code) for code in (*document.gtins, *document.mpns, *document.skus)]
    texts[CODE_PREFIXES] = [part for code in document.mpns for part in code_prefixes(code)]
    return {name: " ".join(terms[:MAX_TERMS]) for name, terms in texts.items() if terms}


@lru_cache(maxsize=4_096)
def _category_terms(path: tuple[int, ...], leaf_id: int) -> dict[str, list[str]]:
    """Names of the categories in each language, and the leaf's further words; never changed."""
    known = categories()
    texts = {
        f"category_{language}": index_terms(
            " ".join(known[id_].name(language) for id_ in path if id_ in known), language
        )
        for language in LANGUAGES
    }
    if leaf_id in known:
        texts[f"category_{OTHER}"] = index_terms(" ".join(known[leaf_id].words), OTHER)
    return texts


def _model(document: ProductDocument) -> str:
    values = (document.attributes.get(name, "") for name in MODEL_KEYS)
    return " ".join(value for value in values if value)


def _attribute_text(document: ProductDocument) -> str:
    """Values that say something by themselves; a bare `yes` is found under no word. Whether it is
    offered used or refurbished is asked for in words as well."""
    stated = [
        value
        for name, value in document.attributes.items()
        if name not in MODEL_KEYS and value.lower() not in _SAYS_NOTHING
    ]
    return " ".join([*stated, *(name for name in document.conditions if name != Condition.NEW)])


@lru_cache(maxsize=20_000)
def numeric_key(product_id: str) -> int:
    """64 bits of the id's hash: the key of its vector."""
    return int.from_bytes(hashlib.sha256(product_id.encode()).digest()[:8], "big") >> 1
