"""Merchants of few offers: asked about where a known one would be merged, and only there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from kernel.db import Database
from mdm.match.candidates import merchant_piece
from mdm.match.decision import Contender, Decision
from mdm.match.features import offer_features
from mdm.match.little_known import KNOWN, little_known
from mdm.match.living_catalogue import EmptyCatalogue
from mdm.match.newcomers import Matching, Newcomer
from mdm.match.rarity import Rarity
from mdm.stewardship.reviews import queue
from tests.mdm.offers_at_hand import WordEncoder, load, opened, products, raw

TITLES = {
    "north": "Norvalis KX214QTZ fridge freezer white",
    "south": "Norvalis fridge freezer KX214QTZ in white",
    "tiny": "Norvalis KX214QTZ white fridge freezer 60 cm",
}


def _contender(merchant: str, **facts: object) -> Contender:
    return Contender(f"off_{merchant}", merchant, "new", offer_features("kettle kx214", facts))


def _rarity(offers: int, held: Mapping[str, int]) -> Rarity:
    counts = {merchant_piece(merchant): number for merchant, number in held.items()}
    return Rarity(offers, lambda piece: counts.get(piece, 0))


@pytest.mark.parametrize(
    ("offers", "held", "needed"),
    [(900, 2, 3), (3_000, 9, 10), (6_000, KNOWN - 1, KNOWN), (10_000_000, KNOWN - 1, KNOWN)],
)
def test_few_offers_of_either_merchant_are_told(offers: int, held: int, needed: int) -> None:
    rarity = _rarity(offers, {"north": 5_000, "tiny": held})
    north, tiny = _contender("north"), _contender("tiny")
    told = f"a merchant little known so far ({held} of {needed} offers)"
    assert little_known(north, tiny, rarity) == little_known(tiny, north, rarity) == told
    enough = _rarity(offers, {"north": 5_000, "tiny": needed})
    assert little_known(north, tiny, enough) is None


def test_a_small_catalogue_knows_nobody_better() -> None:
    assert little_known(_contender("a"), _contender("b"), _rarity(599, {"a": 1, "b": 1})) is None


@pytest.mark.parametrize("stated", [{"gtins": ["04006381333931"]}, {"mpn": "KX-214"}])
def test_one_identifier_is_enough(stated: dict[str, object]) -> None:
    rarity = _rarity(9_000, {"north": 5_000, "tiny": 1})
    assert little_known(_contender("north", **stated), _contender("tiny"), rarity)
    assert little_known(_contender("north", **stated), _contender("tiny", **stated), rarity) is None


def _decision(**facts: object) -> Decision:
    """The same article at three merchants, one of whom has nothing else."""
    shelf = [
        Newcomer(f"off_{shop}_{number}", shop, "new", f"Lamp {shop} LX{number:03d}9A brass", {})
        for shop in ("north", "south")
        for number in range(320)
    ]
    same = [Newcomer(f"off_{shop}", shop, "new", title, facts) for shop, title in TITLES.items()]
    newcomers = shelf + same
    vectors = WordEncoder().encode([each.title for each in newcomers])
    return Matching(EmptyCatalogue(), newcomers, vectors).decision()


def _together(decision: Decision) -> set[str]:
    (found,) = (
        {each.offer_id for each in group.members}
        for group in decision.groups
        if any(each.offer_id == "off_north" for each in group.members)
    )
    return found


def test_the_offer_of_a_little_known_merchant_is_put_before_a_person() -> None:
    decision = _decision()
    assert _together(decision) == {"off_north", "off_south"}
    (review,) = [each for each in decision.reviews if "off_tiny" in (each.offer_id, each.against)]
    (alone,) = [group for group in decision.groups if "off_tiny" in group.evidence]
    told = " ".join(alone.evidence["off_tiny"]["kept_apart"])
    assert "a merchant little known so far (1 of 2 offers)" in told
    assert review.probability >= 0.85
    proposed = [{each.offer_id for each in group} for group in decision.proposed]
    assert {"off_north", "off_south", "off_tiny"} in proposed


def test_with_its_gtin_it_is_merged() -> None:
    assert _together(_decision(gtins=["04006381333931"])) == {"off_north", "off_south", "off_tiny"}


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    yield from opened(postgres_url, *TITLES)


def test_the_living_catalogue_knows_its_merchants(database: Database) -> None:
    """Asked while its merchant has one offer, of another article merged once there are two."""
    shelf = [raw(f"l{number}", f"Lamp brass LX{number:03d}9A", None) for number in range(310)]
    articles = {"KX214QTZ": "f1", "MV388RSA": "f2"}
    feeds = {
        shop: [raw(sku, title.replace("KX214QTZ", code)) for code, sku in articles.items()]
        for shop, title in TITLES.items()
    }
    for shop in ("north", "south"):
        own = [raw(each.sku, f"{shop} {each.title}") for each in shelf]
        load(database, shop, [*own, *feeds[shop]])
    load(database, "tiny", feeds["tiny"][:1])
    found = products(database)
    assert found["north/f1"] == found["south/f1"] != found["tiny/f1"]
    with database.platform() as tx:
        assert len(queue(tx, limit=9)) == 1
    load(database, "tiny", feeds["tiny"])
    found = products(database)
    assert found["north/f2"] == found["south/f2"] == found["tiny/f2"]
    assert found["tiny/f1"] != found["north/f1"], "a question stays a question"
