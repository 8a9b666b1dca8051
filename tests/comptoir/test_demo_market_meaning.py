"""French words find what is titled in German only, and the other way round, by meaning alone; the
matcher compares titles with the same vectors."""

from __future__ import annotations

import numpy as np
import pytest

from comptoir.demo_market import Market, generate
from comptoir.installation import Installation
from kernel.embedding.encoder import Encoder
from kernel.settings import Settings


@pytest.fixture(scope="module")
def market() -> Market:
    return generate()


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The one that search, indexing and matching are given."""
    return Installation(Settings(embedding_model=None)).encoder


@pytest.mark.parametrize(("asked_in", "titled_in"), [("fr", "de"), ("de", "fr")])
def test_the_kind_of_thing_is_found_in_the_other_language(
    market: Market, encoder: Encoder, asked_in: str, titled_in: str
) -> None:
    """Only the kind is asked for, without the maker; three of four by vectors alone, before words
    help (tests/flows/test_demo.py asks the whole shop)."""
    titled = [product for product in market.by_id.values() if titled_in in product.titles]
    table = encoder.encode([product.titles[titled_in] for product in titled])
    kinds = {
        product.kind[asked_in]: product.kind[titled_in]
        for product in titled
        if product.kind[asked_in].lower() != product.kind[titled_in].lower()
    }
    assert len(kinds) >= 15
    found = 0
    for asked, meant in kinds.items():
        nearest = np.argsort(-(table @ encoder.encode_one(asked)), kind="stable")[:10]
        found += meant in {titled[place].kind[titled_in] for place in nearest}
    assert found >= 0.75 * len(kinds), f"{found} of {len(kinds)}"


def test_an_offer_in_another_language_is_a_candidate_of_the_matcher(
    market: Market, encoder: Encoder
) -> None:
    """Its German offer is among the twenty nearest of the same product's French one."""
    by_product: dict[str, dict[str, str]] = {}
    for offer in market.offers:
        by_product.setdefault(offer.product_id, {}).setdefault(offer.language, offer.title)
    both = [titles for titles in by_product.values() if {"fr", "de"} <= titles.keys()]
    assert len(both) >= 30
    german = encoder.encode([titles["de"] for titles in both])
    french = encoder.encode([titles["fr"] for titles in both])
    likeness = french @ german.T
    nearer = (likeness > likeness.diagonal()[:, None]).sum(axis=1)
    found = int((nearer < 20).sum())
    assert found >= 0.9 * len(both), f"{found} of {len(both)}"
