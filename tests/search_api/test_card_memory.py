"""Cards that were shown before: no document is read for them while they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from indexer.document import ProductDocument
from indexer.hits import Hit, id_of
from search_api.card_memory import CardMemory
from tenants.ranking.profile import RankingProfile
from tests.indexer.documents import document, offer

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
PROFILE = RankingProfile()


class Index:
    """Documents by id, and which were asked for."""

    def __init__(self, *documents: ProductDocument) -> None:
        self.documents = {row.product_id: row for row in documents}
        self.asked: list[str] = []

    def read(self, products: Sequence[str | Hit]) -> Mapping[str, ProductDocument]:
        ids = [id_of(product) for product in products]
        self.asked += ids
        return {name: self.documents[name] for name in ids if name in self.documents}


def hit(name: str, version: int = 1) -> Hit:
    return Hit(name, 1.0, True, 1, version=version, index="brand-1")


def test_a_card_that_was_made_is_not_read_for() -> None:
    """Those that are shown no longer are left out; what has only an id is always read."""
    index, memory = Index(document("prd_a", "lamp"), document("prd_b", "chair")), CardMemory()
    page = (hit("prd_b"), hit("prd_gone"), hit("prd_a"))
    first = memory.cards(page, index.read, PROFILE, "en", NOW)
    assert [card.id for card in first] == ["prd_b", "prd_a"]
    index.asked.clear()
    assert memory.cards(page, index.read, PROFILE, "en", NOW) == first
    assert index.asked == ["prd_gone"]
    memory.cards(("prd_a",), index.read, PROFILE, "en", NOW)
    assert index.asked == ["prd_gone", "prd_a"]


def test_another_version_language_or_ranking_is_another_card() -> None:
    index, memory = Index(document("prd_a", "lamp")), CardMemory()
    weighted = replace(PROFILE, offer_weights=replace(PROFILE.offer_weights, order="weighted"))
    for product, profile, language in (
        (hit("prd_a"), PROFILE, "en"),
        (hit("prd_a", version=2), PROFILE, "en"),
        (hit("prd_a"), PROFILE, "fr"),
        (hit("prd_a"), weighted, "en"),
    ):
        index.asked.clear()
        memory.cards((product,), index.read, profile, language, NOW)
        assert index.asked == ["prd_a"]


def test_a_card_holds_until_its_first_offer_expires() -> None:
    line = replace(offer("darti", 1000), expires_at=LATER.isoformat())
    index, memory = Index(document("prd_a", "lamp", offers=(line,))), CardMemory()
    (card,) = memory.cards((hit("prd_a"),), index.read, PROFILE, "en", NOW)
    assert card.offer_count == 1
    (card,) = memory.cards((hit("prd_a"),), index.read, PROFILE, "en", LATER)
    assert card.offer_count == 0
    assert index.asked == ["prd_a"] * 2


def test_the_longest_unused_makes_room() -> None:
    rows = [document(f"prd_{n}", "lamp") for n in range(4)]
    index, memory = Index(*rows), CardMemory(at_most=3)
    for name in ("prd_0", "prd_1", "prd_2", "prd_0", "prd_3"):
        memory.cards((hit(name),), index.read, PROFILE, "en", NOW)
    index.asked.clear()
    for name in ("prd_0", "prd_2", "prd_3", "prd_1"):
        memory.cards((hit(name),), index.read, PROFILE, "en", NOW)
    assert index.asked == ["prd_1"]
