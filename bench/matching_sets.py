"""Public matching sets in the plain form that `comptoir match eval` reads.

    python -m bench.matching_sets FOLDER_OF_THE_SETS OUT

The sets stay where they are: their licences differ. What comes out is for measuring only.
"""

from __future__ import annotations

import csv
import gzip
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

Row = Mapping[str, str]

_AMOUNT = re.compile(r"\d+(?:[.,]\d+)*")
_LANGUAGE_TAG = re.compile(r'"@(\w+)|@([a-z]{2})\b|"')
_TITLE = re.compile(r"^COL title VAL ")
_CURRENCY = {"€": "EUR", "$": "USD", "£": "GBP", "zł": "PLN", "kr": "SEK", "ft": "HUF"}


def main(source: Path, out: Path) -> None:
    """Convert every set of the folder; a file that is not there is left out and named."""
    out.mkdir(parents=True, exist_ok=True)
    for convert in (pricerunner, altosight, wdc_products, abt_buy, amazon_google, wdc_titles):
        try:
            convert(source, out)
        except FileNotFoundError as error:
            print(f"left out: {convert.__name__}, no {error.filename}")


def pricerunner(source: Path, out: Path) -> None:
    """Offers of a comparison site, whole and category by category."""
    rows = list(_read(source / "pricerunner_dev.csv.gz"))
    for name in ("", *sorted({row["category_label"] for row in rows})):
        chosen = [row for row in rows if name in ("", row["category_label"])]
        stem = "pricerunner" + (f"-{name.lower().replace(' ', '-')}" if name else "")
        _write(
            out / f"{stem}-offers.csv.gz",
            (
                {
                    "id": row["product_id"],
                    "title": row["product_title"],
                    "merchant": f"vendor {row['vendor_id']}",
                    "category": row["category_label"],
                    "lang": "en",
                }
                for row in chosen
            ),
        )
        _clusters(out / f"{stem}-clusters.csv.gz", chosen, "product_id")


def altosight(source: Path, out: Path) -> None:
    """Memory cards in nine languages."""
    rows = list(_read(source / "altosight_dev.csv.gz"))
    _write(
        out / "altosight-offers.csv.gz",
        (
            {
                "id": row["offer_id"],
                "title": row["name"],
                "brand": row["brand"],
                **_price(row["price"]),
            }
            for row in rows
        ),
    )
    _clusters(out / "altosight-clusters.csv.gz", rows, "offer_id")


def wdc_products(source: Path, out: Path) -> None:
    """Product pairs, four in five of them corner cases."""
    rows = list(_read(source / "wdc80cc_offers.csv.gz"))
    _write(
        out / "wdc80cc-offers.csv.gz",
        (
            {
                "id": row["id"],
                "title": row["title"],
                "brand": row["brand"],
                "description": f"{row['description']} {row['spectablecontent']}".strip(),
                "price": row["price"],
                "currency": row["pricecurrency"],
            }
            for row in rows
        ),
    )
    _clusters(out / "wdc80cc-clusters.csv.gz", rows, "id")
    for split in ("train", "valid"):
        _pairs(
            out / f"wdc80cc-{split}-pairs.csv.gz",
            _read(source / f"wdc80cc_{split}_pairs.csv.gz"),
        )


def abt_buy(source: Path, out: Path) -> None:
    """Two shops of electronics."""
    _two_tables(source, out, "abt-buy", "name", "")


def amazon_google(source: Path, out: Path) -> None:
    """Two shops of software."""
    _two_tables(source, out, "amazon-google", "title", "manufacturer")


def wdc_titles(source: Path, out: Path) -> None:
    """Pairs of titles in several languages, four categories."""
    for name in ("cameras", "computers", "shoes", "watches"):
        ids: dict[tuple[str, str], str] = {}
        pairs = []
        with gzip.open(source / f"wdc_lspc_{name}_train_medium.txt.gz", "rt") as stream:
            for line in stream:
                *sides, label = line.rstrip("\n").split("\t")
                read = [_tagged(side) for side in sides]
                left, right = (ids.setdefault(each, str(len(ids))) for each in read)
                pairs.append({"left_id": left, "right_id": right, "label": label})
        _write(
            out / f"wdc-{name}-offers.csv.gz",
            (
                {"id": number, "title": title, "lang": language}
                for (title, language), number in ids.items()
            ),
        )
        _write(out / f"wdc-{name}-train-pairs.csv.gz", pairs)


def _two_tables(source: Path, out: Path, name: str, title: str, brand: str) -> None:
    sides = (("A", "l"), ("B", "r"))
    _write(
        out / f"{name}-offers.csv.gz",
        (
            {
                "id": f"{letter}{row['id']}",
                "title": row[title],
                "brand": row.get(brand, ""),
                "description": row.get("description", ""),
                **_price(row["price"]),
            }
            for table, letter in sides
            for row in _read(source / f"{name}_table{table}.csv.gz")
        ),
    )
    for split in ("train", "valid"):
        rows = _read(source / f"{name}_{split}.csv.gz")
        _pairs(out / f"{name}-{split}-pairs.csv.gz", rows, "l", "r")


def _pairs(path: Path, rows: Iterable[Row], left: str = "", right: str = "") -> None:
    _write(
        path,
        (
            {
                "left_id": left + row["ltable_id"],
                "right_id": right + row["rtable_id"],
                "label": row["label"],
            }
            for row in rows
        ),
    )


def _clusters(path: Path, rows: Iterable[Row], key: str) -> None:
    _write(path, ({"id": row[key], "cluster": row["cluster_id"]} for row in rows))


def _price(text: str) -> dict[str, str]:
    """Sets of one country leave the currency out: dollars."""
    found = _AMOUNT.search(text)
    if not found:
        return {}
    sign = next((code for mark, code in _CURRENCY.items() if mark in text.lower()), "USD")
    return {"price": found[0], "currency": sign}


def _tagged(side: str) -> tuple[str, str]:
    """Title and language out of `COL title VAL "Titre"@fr`."""
    title = _TITLE.sub("", side)
    tag = _LANGUAGE_TAG.search(title)
    language = (tag[1] or tag[2] or "") if tag else ""
    return " ".join(_LANGUAGE_TAG.sub(" ", title).split()), language[:2]


def _read(path: Path) -> Iterator[Row]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def _write(path: Path, rows: Iterable[Row]) -> None:
    listed = list(rows)
    names = list(dict.fromkeys(name for row in listed for name in row))
    with gzip.open(path, "wt", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, names, restval="")
        writer.writeheader()
        writer.writerows(listed)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
