"""Copies of queries with one slip of the hand; queries for one product by its numbers. Seeded."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence

from indexer.document import ProductDocument

SEED = 11
_WORD = re.compile(r"[^\W\d_]{4,}")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
IDENTIFIERS_AT_MOST = 1_000


def with_one_typo(query: str, seed: int = SEED) -> str | None:
    """The query with one letter left out, doubled, replaced or two of them swapped.

    The slip is in a word of at least four letters and not in its first letter; None without one.
    """
    words = list(_WORD.finditer(query))
    if not words:
        return None
    chance = random.Random(f"{seed}:{query}")  # noqa: S311 - a repeatable draw, no secret
    word = chance.choice(words)
    text = word[0]
    slip = chance.choice(("omit", "insert", "replace", "swap"))
    place = chance.randrange(1, len(text) - 1)
    if slip == "omit":
        typed = text[:place] + text[place + 1 :]
    elif slip == "insert":
        typed = text[:place] + chance.choice(_LETTERS) + text[place:]
    elif slip == "replace":
        other = [letter for letter in _LETTERS if letter != text[place].lower()]
        typed = text[:place] + chance.choice(other) + text[place + 1 :]
    else:
        swaps = [at for at in range(1, len(text) - 1) if text[at] != text[at + 1]]
        at = chance.choice(swaps) if swaps else place
        typed = text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return query[: word.start()] + typed + query[word.end() :]


def identifier_queries(
    documents: Sequence[ProductDocument], at_most: int = IDENTIFIERS_AT_MOST, seed: int = SEED
) -> Iterator[tuple[str, str, str]]:
    """(kind, query, product id): GTIN as printed, MPN and SKU, a seeded draw of each kind.

    Numbers that several products state name no single one and are left out.
    """
    chance = random.Random(seed)  # noqa: S311
    for kind, rows in (
        ("gtin", ((_printed(code), row) for row in documents for code in row.gtins)),
        ("mpn", ((code, row) for row in documents for code in row.mpns)),
        ("sku", ((code, row) for row in documents for code in row.skus)),
    ):
        alone = _of_one_product(rows)
        drawn = chance.sample(sorted(alone), min(at_most, len(alone)))
        for code in drawn:
            yield kind, code, alone[code]


def _of_one_product(rows: Iterable[tuple[str, ProductDocument]]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for code, row in rows:
        found.setdefault(code, set()).add(row.product_id)
    return {code: next(iter(ids)) for code, ids in found.items() if len(ids) == 1}


def _printed(gtin: str) -> str:
    """A GTIN-14 as it stands under the bars: 13 or 12 digits where the others are zeros."""
    for length in (8, 12, 13):
        if gtin.startswith("0" * (14 - length)):
            return gtin[14 - length :]
    return gtin
