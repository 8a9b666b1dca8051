"""Titles of products that do not exist, made by varying real ones, and a catalogue of them.

Numbers are drawn anew and some words come from another title, so that each is a product of its own
with words as common and codes as rare as real ones. The same number always gives the same title.
"""

from __future__ import annotations

import csv
import gzip
import os
import random
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import orjson

from kernel.db import Database, Transaction
from kernel.ids import derived_id
from mdm import intake
from mdm.bulk import copy_rows
from mdm.match.candidates import indexed
from mdm.match.decision import NOTHING_RULED, Contender, Ruled
from mdm.match.features import offer_features
from mdm.match.kept_reading import SHAPE, packed
from mdm.match.living_catalogue import LivingOffer
from mdm.match.neighbours import TitleEncoder
from mdm.match.term_index import TermIndex
from mdm.offer_rows import offer_id_of
from mdm.raw_offer import RawOffer

MERCHANTS = 200
_PAGE = 20_000
_DIGIT = re.compile(r"\d")
_DAY = datetime(2026, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4)
def real_titles(path: Path) -> Sequence[str]:
    """Titles of the sample."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        return tuple(row["product_title"] for row in csv.DictReader(stream))


def varied_title(titles: Sequence[str], number: int) -> str:
    """The title of product `number`."""
    chance = random.Random(number)
    words = chance.choice(titles).split()
    others = chance.choice(titles).split()
    for _ in range(max(1, len(words) // 5)):
        words[chance.randrange(len(words))] = chance.choice(others)
    return " ".join(
        _DIGIT.sub(lambda _: str(chance.randrange(10)), word) if len(word) > 3 else word
        for word in words
    )


def another_offer(title: str, number: int) -> str:
    """The same product as another shop writes it: a word fewer, in another order."""
    chance = random.Random(-number)
    words = title.split()
    if len(words) > 4:
        words.pop(chance.randrange(len(words)))
    if chance.random() < 0.5:
        start = chance.randrange(len(words))
        words = words[start:] + words[:start]
    return " ".join(words)


def newcomers(titles: Sequence[str], products: int, start: int, count: int) -> Iterator[RawOffer]:
    """Every second one is another offer of a product in the catalogue, the others are new."""
    for number in range(start, start + count):
        chance = random.Random(number)
        if number % 2:
            title = another_offer(varied_title(titles, chance.randrange(products)), number)
        else:
            title = varied_title(titles, 100_000_000 + number)
        price = f"{chance.randint(1500, 150_000) / 100:.2f}"
        yield RawOffer(sku=f"new-{number}", title=title, price=price, decimal=".")


def fill(
    database: Database, titles: Sequence[str], encoder: TitleEncoder, there: int, wanted: int
) -> None:
    """Products of one offer each, from number `there` on, as ingestion would have left them."""
    with database.platform() as tx:
        run = intake.open_run(tx, merchant_of(0), "filled", complete=False)
        intake.close_run(tx, run)
    for start in range(there, wanted, _PAGE):
        numbers = range(start, min(start + _PAGE, wanted))
        with database.platform() as tx:
            page = [(number, varied_title(titles, number)) for number in numbers]
            _fill(tx, page, encoder)
            _fill_landed(tx, page, run)


def _fill_landed(tx: Transaction, page: Sequence[tuple[int, str]], run: int) -> None:
    """What the offers were made of: the pipeline looks for its work among as many records."""
    rows = (
        (
            merchant_of(number),
            str(number),
            "filled",
            b"bench",
            orjson.dumps({"sku": str(number), "title": title, "price": "1.00"}).decode(),
            1000 + number % 90_000,
            "EUR",
            "live",
            False,
            run,
            _DAY,
            _DAY,
        )
        for number, title in page
    )
    names = (
        "source_id", "sku", "feed", "content_sha256", "raw", "price_minor", "currency", "state",
        "pending", "landed_by", "landed_at", "confirmed_at",
    )  # fmt: skip
    copy_rows(tx, "mdm.raw_offer", names, rows)


def _fill(tx: Transaction, page: Sequence[tuple[int, str]], encoder: TitleEncoder) -> None:
    products = [derived_id("prd", "bench", str(number)) for number, _ in page]
    columns = ("product_id", "version", "state", "golden", "updated_at")
    copy_rows(tx, "mdm.product", columns, ((each, 1, "live", "{}", _DAY) for each in products))
    rows = [
        (
            offer_id_of(merchant_of(number), str(number)),
            merchant_of(number),
            str(number),
            merchant_of(number),
            product_id,
            True,
            b"bench",
            b"bench",
            title,
            1000 + number % 90_000,
            "EUR",
            "new",
            "in_stock",
            "[]",
            "{}",
            _DAY,
            _DAY,
            _DAY + timedelta(days=36_500),
            False,
        )
        for product_id, (number, title) in zip(products, page, strict=True)
    ]
    names = (
        "offer_id", "source_id", "sku", "merchant_id", "product_id", "live", "identity_sha256",
        "shown_sha256", "title", "price_minor", "currency", "condition", "availability", "delivery",
        "facts", "updated_at", "confirmed_at", "expires_at", "expired",
    )  # fmt: skip
    copy_rows(tx, "mdm.offer", names, rows)
    vectors = encoder.encode([title for _, title in page]).astype("float16")
    copy_rows(
        tx,
        "mdm.offer_vector",
        ("offer_id", "model_id", "vector"),
        (
            (row[0], encoder.model_id, vector.tobytes())
            for row, vector in zip(rows, vectors, strict=True)
        ),
    )


class VariedCatalogue:
    """`mdm.match.living_catalogue.LivingCatalogue` of such products, one offer each, with the index
    in a folder: the matcher at a size that a database would take an hour to be filled to."""

    def __init__(self, folder: Path, titles: Sequence[str], encoder: TitleEncoder) -> None:
        self.index = TermIndex(folder)
        self._vectors = folder.with_suffix(".vectors")
        self._titles = titles
        self._encoder = encoder

    def grow(self, size: int) -> None:
        """Add products up to this number, kept page by page: what is there already stays."""
        shape, _, reached = self.index.mark.partition(" ")
        if shape != SHAPE:
            self.index.empty()
            reached = "0"
        for start in range(int(reached), size, _PAGE):
            end = min(start + _PAGE, size)
            titles = [varied_title(self._titles, number) for number in range(start, end)]
            vectors = self._encoder.encode(titles)
            self._keep(vectors.astype("float16").tobytes(), start * self._row)
            contenders = [_contender(start + at, title) for at, title in enumerate(titles)]
            held = (
                each._replace(reading=packed(contender, vector.tobytes()))
                for each, contender, vector in zip(
                    indexed(contenders, vectors), contenders, vectors.astype("float16"), strict=True
                )
            )
            self.index.write(held, (), f"{SHAPE} {end}")

    @property
    def _row(self) -> int:
        return 2 * self._encoder.dimensions

    def _keep(self, vectors: bytes, at: int) -> None:
        """Vectors stand in a file, as an installation has them in its database."""
        self._vectors.touch()
        with self._vectors.open("r+b") as stream:
            stream.seek(at)
            stream.write(vectors)

    def offers(self, offer_ids: Collection[str]) -> Sequence[LivingOffer]:
        """Those of these offers that are live."""
        with self._vectors.open("rb") as stream:
            return [
                LivingOffer(
                    offer_id,
                    merchant_of(number),
                    "new",
                    f"prd_{number}",
                    0.0,
                    os.pread(stream.fileno(), self._row, number * self._row),
                    varied_title(self._titles, number),
                    {},
                )
                for offer_id in offer_ids
                for number in (int(offer_id.removeprefix("off_")),)
            ]

    def products(self, offer_ids: Collection[str]) -> Mapping[str, str]:
        """Of each of these offers its product."""
        return {each: f"prd_{each.removeprefix('off_')}" for each in offer_ids}

    def members(self, product_ids: Collection[str]) -> Sequence[LivingOffer]:
        """All live offers of these products."""
        return self.offers([f"off_{each.removeprefix('prd_')}" for each in product_ids])

    def around(
        self, product_ids: Collection[str], offer_ids: Collection[str]
    ) -> tuple[Sequence[LivingOffer], Ruled]:
        """All live offers of these products, nothing."""
        del offer_ids
        return self.members(product_ids), NOTHING_RULED

    def ruled(self, offer_ids: Collection[str]) -> Ruled:
        """Nothing."""
        del offer_ids
        return NOTHING_RULED


def _contender(number: int, title: str) -> Contender:
    features = offer_features(title, {})
    return Contender(f"off_{number}", merchant_of(number), "new", features, f"prd_{number}")


def merchant_of(number: int) -> str:
    """Which of the merchants of the catalogue offers a product."""
    return f"shop-{number % MERCHANTS:03d}"
