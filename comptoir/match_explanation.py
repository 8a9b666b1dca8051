"""Why two offers are, or are not, of one product: read from the installation or from a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comptoir.stewardship.reasons import reason
from comptoir.stewardship.wording import lines
from kernel.db import advisory_lock
from kernel.errors import NotFound
from mdm.evaluation.plain_form import read_offers
from mdm.evaluation.run import understand
from mdm.living_index import LivingIndex
from mdm.match.comparison import Comparison, ambiguous_gtins
from mdm.match.living_catalogue import contenders_of
from mdm.match.rarity import Rarity
from mdm.stewardship.reviews import question_between
from mdm.stored_catalogue import StoredCatalogue

if TYPE_CHECKING:
    from comptoir.installation import Installation
    from mdm.match.neighbours import TitleEncoder

_BANDS = {
    "merge": "merged with nobody looking",
    "steward": "put before a steward",
    "apart": "kept apart",
}

_RULED = {"same": "the same product", "different": "different products"}


def of_file(path: Path, one: str, other: str, encoder: TitleEncoder) -> dict[str, Any]:
    """Two offers of a set in the plain form; how rare words are is the set's. NotFound."""
    understood = understand(read_offers(path), encoder)
    for each in (one, other):
        if each not in understood.places:
            raise NotFound("offer_unknown", f"{path} has no usable offer {each!r}.")
    places = (understood.places[one], understood.places[other])
    return understood.matching.among_newcomers().told(*places)


def of_installation(installation: Installation, one: str, other: str) -> dict[str, Any]:
    """Two live offers, with the `products` they are of now, what a steward `ruled` about them and
    the question `asked` that is open; how rare words are is that of all live offers. NotFound."""
    encoder = installation.encoder
    with installation.database.platform() as tx:
        advisory_lock(tx, "mdm.match")
        index = LivingIndex(installation.settings.data / "matching")
        index.refresh(tx)
        catalogue = StoredCatalogue(tx, index, encoder.model_id, encoder.dimensions)
        offers = catalogue.offers([one, other])
        ruled = catalogue.ruled([one, other])
        question = question_between(tx, one, other)
    contenders, table = contenders_of(offers, encoder.dimensions)
    found = {each.offer_id: place for place, each in enumerate(contenders)}
    for each in (one, other):
        if each not in found:
            raise NotFound("offer_unknown", f"No live offer is called {each!r}.")
    rarity = Rarity(len(index), index.count)
    comparison = Comparison(contenders, table, rarity, ambiguous_gtins(contenders), {})
    pair = (min(one, other), max(one, other))
    return {
        **comparison.told(found[one], found[other]),
        "products": [contenders[found[each]].product_id for each in (one, other)],
        "ruled": "same" if pair in ruled.together else "different" if pair in ruled.apart else None,
        "asked": question and {"id": question.review_id, "probability": question.probability},
    }


def in_words(explained: dict[str, Any]) -> Iterator[str]:
    """The explanation in English, a line each."""
    yield f"{explained['score']:.0%} likely of one product: {_BANDS[explained['band']]}"
    if explained["veto"]:
        yield f"forbidden whatever else agrees: {reason(explained['veto']).english}"
    if explained["doubt"]:
        yield f"a person looks, however likely: {reason(explained['doubt']).english}"
    if "products" in explained:
        yield from _as_it_is(explained)
    yield from lines(explained)


def _as_it_is(explained: dict[str, Any]) -> Iterator[str]:
    """What has become of two live offers, where that is not what the two alone would say."""
    one, other = explained["products"]
    yield f"now of one product: {one}" if one == other else f"now of two: {one}, {other}"
    if explained["ruled"]:
        yield f"a steward has spoken: {_RULED[explained['ruled']]}"
    elif asked := explained["asked"]:
        then = f"{asked['probability']:.0%} when they were matched"
        yield f"a steward is asked (review {asked['id']}): {then}"
    elif (one == other) != (explained["band"] == "merge"):
        yield "decided when they were matched, by all offers of both products, not these two alone"
