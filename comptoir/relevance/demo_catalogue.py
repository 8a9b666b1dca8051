"""The demonstration's catalogue as documents, through mdm, and the judgements written for it.

A judgement names market products by a pattern (`hydranor-wx80--*`), for colours and sizes of one
thing answer alike. Of the patterns of a query the first that fits counts; all other products are 0.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from importlib.resources import as_file, files
from pathlib import Path

from comptoir.demo_market import Market, MarketOffer, generate, merchants
from comptoir.demo_market.phrases import value_text
from comptoir.demo_market.sheets import wording
from comptoir.relevance.judgements import Judgements
from comptoir.relevance.through_mdm import documents_of
from crawlers.merchant_file import read_merchant_file
from indexer.document import ProductDocument
from kernel.db import Database
from kernel.embedding.encoder import Encoder
from kernel.errors import DomainError
from mdm.intake import close_run, open_run, submit
from mdm.merchants import register_merchant
from mdm.offer_rows import offer_id_of
from mdm.pipeline import match_landed
from mdm.raw_offer import RawDelivery, RawOffer
from tenants.brand import Brand

_STATES_FACTS = ("lumiporte", "maison-oscar")


def demo_documents(
    brand: Brand, encoder: Encoder, open_database: Callable[[], Database]
) -> list[ProductDocument]:
    """Every offer of the market landed, matched, merged and projected."""
    database = open_database()
    try:
        load_demo(database, encoder)
        return list(documents_of(database, brand))
    finally:
        database.close()


def load_demo(database: Database, encoder: Encoder) -> None:
    """Every merchant of the market, landed and matched."""
    market = generate()
    for merchant_id in merchants():
        _land(database, market, merchant_id)
    match_landed(database, encoder)


def demo_judgements(name: str, documents: Sequence[ProductDocument]) -> Judgements:
    """Query -> product id -> gain, patterns resolved to the products that mdm made."""
    market_ids = _market_ids(documents)
    found: Judgements = {}
    for query, patterns in judged_patterns(name).items():
        gains = found.setdefault(query, {})
        used = set()
        for product_id, market_id in market_ids.items():
            fits = next((each for each in patterns if fnmatchcase(market_id, each[0])), None)
            gains[product_id] = fits[1] if fits else 0
            used |= {each[0] for each in patterns if fnmatchcase(market_id, each[0])}
        unused = [pattern for pattern, _ in patterns if pattern not in used]
        if unused:
            raise DomainError("judgement_unused", f"{query!r}: nothing is called {unused[0]!r}")
    return found


def judged_patterns(name: str) -> dict[str, list[tuple[str, int]]]:
    """Query -> (pattern, rating) in the order of the file; a query without any has no answer.

    `fr` and `de` were written beside the search; `en`, `fr-blind` and `de-blind` by somebody who
    had seen the catalogue and nothing else.
    """
    found: dict[str, list[tuple[str, int]]] = {}
    resource = files("comptoir.relevance").joinpath("judgements_of_demo", f"{name}.csv")
    with as_file(resource) as path, path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            patterns = found.setdefault(row["query"], [])
            if row["docid"]:
                patterns.append((row["docid"], int(row["rating"])))
    return found


def _market_ids(documents: Sequence[ProductDocument]) -> dict[str, str]:
    """Product id -> the market product that most of its offers are of."""
    truth = {
        offer_id_of(merchant, sku): name for (merchant, sku), name in generate().truth().items()
    }
    return {
        row.product_id: Counter(
            truth[line.offer_id] for line in row.offers if line.offer_id in truth
        ).most_common(1)[0][0]
        for row in documents
    }


def _land(database: Database, market: Market, merchant_id: str) -> None:
    with as_file(files("comptoir.demo_market").joinpath("merchants")) as folder:
        merchant = read_merchant_file(Path(folder) / f"{merchant_id}.toml")
    with database.platform() as tx:
        register_merchant(tx, merchant)
        run = open_run(tx, merchant_id, "market", complete=True)
        submit(tx, run, _offers(market, merchant_id))
        close_run(tx, run)


def _offers(market: Market, merchant_id: str) -> Iterator[RawOffer]:
    for offer in market.offers_of(merchant_id):
        yield _stated(market, offer)


def _stated(market: Market, offer: MarketOffer) -> RawOffer:
    """The offer as the merchant's feed, page or call states it."""
    attributes = [("colour", offer.colour)]
    if offer.merchant in _STATES_FACTS:
        product = market.by_id[offer.product_id]
        known = wording()["facts"]
        attributes += [
            (name, value_text(name, value, offer.language))
            for name, value in product.facts.items()
            if name in known and name != "energy_class"
        ]
    return RawOffer(
        sku=offer.sku,
        title=offer.title,
        price=f"{offer.price_minor // 100}.{offer.price_minor % 100:02d}",
        currency=offer.currency,
        decimal=".",
        description=offer.description,
        language=offer.language,
        gtins=(offer.gtin,) if offer.gtin else (),
        mpn=offer.mpn,
        manufacturer=offer.manufacturer,
        category=offer.category_text,
        condition=offer.condition,
        availability="in stock" if offer.stock else "out of stock",
        quantity=offer.stock,
        delivery=tuple(
            RawDelivery(country, f"{minor // 100}.{minor % 100:02d} {offer.currency}")
            for country, minor in offer.delivery.items()
        ),
        group=offer.group,
        is_bundle=offer.is_bundle,
        attributes=tuple(attributes),
    )
