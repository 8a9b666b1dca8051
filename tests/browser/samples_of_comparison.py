"""Models of the comparison: two alike, four of different kinds with a fifth refused, one, none."""

from __future__ import annotations

from kernel.categories import categories
from search_api.answer import Crumb
from search_api.comparison import Comparison, ComparisonRow
from tests.browser.samples_of_search import cards, verdict


def crumb(category_id: int, language: str) -> Crumb:
    name = categories()[category_id].name(language)
    return Crumb(category_id=category_id, label=name, url="/search")


def compared(language: str, count: int = 4, refused: int = 0, gone: int = 0) -> Comparison:
    """The first cards of the samples."""
    every = cards(language)
    verdicts = (verdict("low"), verdict("high"), verdict("unknown"), None)
    differing = (
        ("manufacturer", ("Aurelio", "Aurelio", "Hydranor Hausgerätewerke", None)),
        ("colour", ("blue", "white", None, "black")),
        ("capacity", ("128 GB", None, None, None)),
        ("noise", (None, "72 dB", "38 dB", None)),
    )
    kinds = (267, 2549, 686, 543626)[:count]
    return Comparison(
        products=every[:count],
        verdicts=verdicts[:count],
        differing=tuple(ComparisonRow(key=key, values=values[:count]) for key, values in differing),
        same=(ComparisonRow(key="voltage", values=("230 V",) * count),) if count else (),
        kinds=tuple(crumb(each, language) for each in kinds) if count > 2 else (),
        more=crumb(267, language) if count else None,
        refused=every[count : count + refused],
        gone=gone,
    )
