"""Who sells what at which price: the seeded part of the demo market.

In: products and a seed. Out: `Market`. Each product draws from a chance of its own (seed + id), so
that a new sheet changes no other product's offers. `python -m` writes the files to a folder.
"""

from __future__ import annotations

import argparse
import zlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from random import Random

import orjson

from comptoir.demo_market.feeds import google_feed, spreadsheet_export
from comptoir.demo_market.merchant_titles import stated_title
from comptoir.demo_market.merchants import Merchant, merchants
from comptoir.demo_market.model import Market, MarketOffer, Product
from comptoir.demo_market.oscar_catalogue import oscar_catalogue
from comptoir.demo_market.products import products
from comptoir.demo_market.sheets import cases, wording
from kernel.categories import categories, category_path
from kernel.gtin import check_digit

SEED = 952
_SHARE = {"lumiporte": 0.84, "werkkontor": 0.84, "atelier-boreal": 0.78, "maison-oscar": 0.9}
_SHOWN_MPN = {"lumiporte": 0.85, "werkkontor": 1.0, "atelier-boreal": 0.7, "maison-oscar": 0.92}
_REFUSED_GTIN = 0.07
_NEW_BOX = ("werkkontor", "maison-oscar")


def _sellers(product: Product, chance: Random) -> tuple[list[str], bool]:
    """Merchants that list the product, and whether only French titles exist for it."""
    pinned = {
        merchant
        for rows in cases()["stated"].values()
        for merchant, name in rows
        if name == product.id
    }
    kind = chance.random()
    chosen = {name for name, share in _SHARE.items() if chance.random() < share}
    french_only = False
    if product.id in cases()["gtin"]["two_for_one_product"]:
        chosen |= {"lumiporte", *_NEW_BOX}
    elif kind < 0.07:
        chosen = {"werkkontor"}
    elif kind < 0.14 and "werkkontor" not in pinned:
        chosen -= {"werkkontor"}
        french_only = True
    chosen |= pinned
    return sorted(chosen or {"maison-oscar"}), french_only


def _ending(minor: int) -> int:
    """The nearest price that a shop would print."""
    if minor < 2000:
        return minor // 10 * 10 + 9
    if minor < 20000:
        return max(minor // 100 * 100 + (90 if minor % 200 < 100 else 99), 999)
    return minor // 500 * 500 + (0 if minor % 1000 < 500 else 499)


def _prices(product: Product, count: int, chance: Random) -> list[int]:
    """`count` prices whose spread is between 3 and 25 percent (after rounding, about that)."""
    lowest = product.reference_minor * chance.randint(940, 1010) // 1000
    spread = chance.randint(30, 250)
    steps = [0, spread, *(chance.randint(0, spread) for _ in range(count))][:count]
    chance.shuffle(steps)
    return [_ending(lowest * (1000 + step) // 1000) for step in steps]


def _in_store_number(product: Product) -> str:
    body = f"20{zlib.crc32(product.id.encode()) % 10**10:010d}"
    return body + check_digit(body)


def _stated_gtin(merchant: str, product: Product, chance: Random) -> str | None:
    """The number as this merchant prints it, with the mistakes that cases.toml asks for."""
    stated = cases()["stated"]
    own = product.gtins[-1 if merchant in _NEW_BOX else 0] if product.gtins else None
    missing = chance.random() < _REFUSED_GTIN
    wrong = next((name for name, rows in stated.items() if [merchant, product.id] in rows), None)
    if wrong == "in_store":
        return _in_store_number(product)
    if own is None:
        return None
    if wrong == "spreadsheet_damage":
        return f"{own[0]},{own[1:6]}E+12"
    if wrong == "wrong_check_digit":
        return own[:-1] + str((int(own[-1]) + 1) % 10)
    if wrong == "single_on_multipack":
        single = next(item for item in products() if item.id == product.single_id)
        return single.gtins[0]
    if wrong == "gtin_14":
        return own.zfill(14)
    return None if missing and product.id not in _always_numbered() else own


@lru_cache(maxsize=1)
def _always_numbered() -> frozenset[str]:
    """Products whose number is the point of a case: no merchant leaves it out."""
    rules = cases()["gtin"]
    pairs = {name for pair in rules["one_for_two_variants"] for name in pair}
    return frozenset(pairs | set(rules["two_for_one_product"]))


def _language(merchant: Merchant, product: Product, french_only: bool) -> str:
    """The language of the sheet: one for all variants, so that they share a page."""
    if len(merchant.languages) == 1:
        return merchant.languages[0]
    german = zlib.crc32(f"{product.family} {merchant.id}".encode()) % 20 < 9
    return "de" if german and not french_only else "fr"


def _category_text(merchant: str, product: Product, language: str) -> str:
    names = [categories()[key].name(language) for key in category_path(product.category)]
    return (" > " if merchant == "lumiporte" else "/").join(names)


def _group(merchant: str, product: Product) -> str | None:
    """The merchant's own number for a set of variants; no two merchants use the same."""
    if product.variant_group is None:
        return None
    return f"G{zlib.crc32(f'{merchant} {product.variant_group}'.encode()) % 10**8:08d}"


def _sku(merchant: str, product: Product, taken: set[str]) -> str:
    pattern = {
        "lumiporte": "LP-{:06d}",
        "werkkontor": "{:06d}",
        "atelier-boreal": "ab{:06d}",
        "maison-oscar": "MO-{:06d}",
    }[merchant]
    serial = zlib.crc32(f"{merchant} {product.id}".encode()) % 10**6
    while (sku := pattern.format(serial)) in taken:
        serial = (serial + 1) % 10**6
    taken.add(sku)
    return sku


def _stock(chance: Random) -> tuple[int, int]:
    """Pieces on the shelf and days to the door; one offer in nine is sold out."""
    if chance.random() < 0.11:
        return 0, chance.randint(7, 21)
    return chance.randint(1, 40), chance.randint(1, 5)


def _offer(
    merchant: Merchant, product: Product, price: int, french_only: bool, chance: Random
) -> MarketOffer:
    language = _language(merchant, product, french_only)
    stock, days = _stock(chance)
    was = _ending(price * chance.randint(108, 130) // 100) if chance.random() < 0.15 else None
    parcel = wording()["category"][str(product.category)]["parcel"]
    return MarketOffer(
        merchant=merchant.id,
        sku="",
        product_id=product.id,
        language=language,
        title=stated_title(merchant.id, product, language, chance),
        description=product.descriptions[language],
        manufacturer=product.manufacturer,
        mpn=product.mpn if chance.random() < _SHOWN_MPN[merchant.id] else None,
        gtin=_stated_gtin(merchant.id, product, chance),
        price_minor=price,
        list_price_minor=was,
        currency="EUR",
        delivery=merchant.delivery_for(parcel, price),
        delivery_days=days,
        stock=stock,
        condition=product.condition,
        category=product.category,
        category_text=_category_text(merchant.id, product, language),
        colour=product.colour,
        pack=product.pack,
        is_bundle=bool(product.parts),
        group=_group(merchant.id, product),
    )


def generate(seed: int = SEED) -> Market:
    """The whole market of a seed. The same seed gives the same market, on every machine."""
    goods, known = products(), merchants()
    taken: dict[str, set[str]] = {name: set() for name in known}
    offers: list[MarketOffer] = []
    for product in goods:
        chance = Random(f"{seed}:{product.id}")  # noqa: S311 - a demo wants repeatable chance
        sellers, french_only = _sellers(product, chance)
        prices = _prices(product, len(sellers), chance)
        for name, price in zip(sellers, prices, strict=True):
            offer = _offer(known[name], product, price, french_only, chance)
            offers.append(replace(offer, sku=_sku(name, product, taken[name])))
    return Market(seed=seed, products=goods, offers=tuple(offers))


def write(market: Market, folder: Path, base_url: str) -> list[Path]:
    """Write both feeds, the Oscar rows and the truth; returns the files in order of writing."""
    rows = b"".join(orjson.dumps(row) + b"\n" for row in oscar_catalogue(market))
    truth = [[merchant, sku, product] for (merchant, sku), product in market.truth().items()]
    contents = {
        "lumiporte.xml.gz": google_feed(market, base_url),
        "werkkontor.csv": spreadsheet_export(market, base_url),
        "maison-oscar.jsonl": rows,
        "truth.json": orjson.dumps(truth),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]


def main() -> None:
    """Command line: `python -m comptoir.demo_market.generate --out FOLDER`."""
    parser = argparse.ArgumentParser(description="Write the demo market's files.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--base-url", default="http://127.0.0.1:8001")
    chosen = parser.parse_args()
    for path in write(generate(chosen.seed), chosen.out, chosen.base_url):
        print(path)  # noqa: T201 - the answer of the command


if __name__ == "__main__":
    main()
