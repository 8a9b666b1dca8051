"""From sheets to products: variants, multipacks, bundles, refurbished items, and their GTINs.

Pure and without chance: a product's number depends on its id alone, so a new sheet moves no other.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace

from comptoir.demo_market.model import LANGUAGES, Fact, Product
from comptoir.demo_market.phrases import clean_title, description
from comptoir.demo_market.sheets import Family, cases, families, wording
from kernel.gtin import check_digit

_GS1_EXAMPLE_PREFIX = "9521"


def _code(value: Fact) -> str:
    """A value as it stands in a part number: `16-50 mm` becomes `1650MM`."""
    return "".join(sign for sign in str(value).upper() if sign.isalnum())


def _mpn(family: Family, facts: Mapping[str, Fact], colour: str) -> str:
    initials = "".join(
        word[0] if word.isalpha() else word for word in str(facts.get("fits")).split()
    )
    return family.mpn.format(
        **{key: _code(value) for key, value in facts.items()},
        c=wording()["colours"][colour]["code"],
        f=initials,
        i=str(facts.get("ink", ""))[:1].upper(),
        s="XL" if facts.get("yield_size") == "XL" else "",
        k="FR" if facts.get("keyboard") == "AZERTY" else "DE",
    )


def _variant(family: Family, choice: Mapping[str, Fact]) -> Product:
    facts: dict[str, Fact] = {**family.facts, **choice}
    colour = str(facts.pop("colour"))
    suffix = "-".join(str(value) for value in choice.values())
    surcharge = sum(
        step * family.axes[key].index(choice[key]) for key, step in family.steps.items()
    )
    product = Product(
        id=f"{family.id}--{suffix}" if suffix else family.id,
        family=family.id,
        category=family.category,
        manufacturer=family.manufacturer,
        model=family.model,
        kind=family.kind,
        mpn=_mpn(family, facts, colour),
        colour=colour,
        facts=facts,
        axes=tuple(family.axes),
        descriptions={lang: description(family.texts[lang], facts, lang) for lang in LANGUAGES},
        titles={},
        reference_minor=family.price_minor + surcharge,
        variant_group=family.id if len(choice) else None,
    )
    return _titled(product)


def _titled(product: Product) -> Product:
    return replace(product, titles={lang: clean_title(product, lang) for lang in LANGUAGES})


def _variants(family: Family) -> Iterator[Product]:
    for values in itertools.product(*family.axes.values()):
        yield _variant(family, dict(zip(family.axes, values, strict=True)))


def _multipacks(singles: Mapping[str, Product]) -> Iterator[Product]:
    for row in cases()["multipack"]:
        for single in list(singles.values()):
            if single.family not in row["families"]:
                continue
            yield _titled(
                replace(
                    single,
                    id=f"{single.id} x{row['count']}",
                    mpn=f"{single.mpn}-{row['count']}P",
                    pack=row["count"],
                    single_id=single.id,
                    reference_minor=single.reference_minor * row["percent"] // 100,
                    variant_group=None,
                )
            )


def _bundles(singles: Mapping[str, Product]) -> Iterator[Product]:
    names = {"fr": "Pack {} + {}", "de": "Set {} + {}", "en": "Bundle {} + {}"}
    for row in cases()["bundle"]:
        main, extra = singles[row["main"]], singles[row["extra"]]
        yield replace(
            main,
            id=f"{main.id} + {extra.id}",
            mpn=f"{main.mpn}+{extra.mpn}",
            titles={
                lang: text.format(main.titles[lang], extra.titles[lang])
                for lang, text in names.items()
            },
            descriptions={
                lang: f"{main.descriptions[lang]}\n{extra.descriptions[lang]}" for lang in LANGUAGES
            },
            # A bundle is a little cheaper than its parts.
            reference_minor=(main.reference_minor + extra.reference_minor) * 95 // 100,
            parts=(main.id, extra.id),
            variant_group=None,
        )


def _refurbished(singles: Mapping[str, Product]) -> Iterator[Product]:
    said = {"fr": "reconditionné", "de": "generalüberholt", "en": "refurbished"}
    for row in cases()["refurbished"]:
        for name in row["families"]:
            variants = [product for product in singles.values() if product.family == name]
            for new in variants[:: row["every"]]:
                yield replace(
                    new,
                    id=f"{new.id} refurbished",
                    condition="refurbished",
                    new_id=new.id,
                    titles={lang: f"{new.titles[lang]} {word}" for lang, word in said.items()},
                    reference_minor=new.reference_minor * row["percent"] // 100,
                    variant_group=None,
                )


def _free_number(text: str, taken: set[str]) -> str:
    serial = zlib.crc32(text.encode()) % 10**8
    while True:
        body = f"{_GS1_EXAMPLE_PREFIX}{serial:08d}"
        number = body + check_digit(body)
        if number not in taken:
            taken.add(number)
            return number
        serial = (serial + 1) % 10**8


def _numbered(products: list[Product]) -> list[Product]:
    rules = cases()["gtin"]
    shared = {second: first for first, second in rules["one_for_two_variants"]}
    trade = {c for row in cases()["multipack"] if row.get("trade_case") for c in row["families"]}
    taken: set[str] = set()
    numbers: dict[str, tuple[str, ...]] = {}
    for product in products:
        if product.family in rules["none"]:
            numbers[product.id] = ()
        elif product.id in shared:
            numbers[product.id] = numbers[shared[product.id]]
        elif product.new_id:
            numbers[product.id] = numbers[product.new_id]
        elif product.single_id and product.family in trade:
            body = f"1{numbers[product.single_id][0][:12]}"
            numbers[product.id] = (body + check_digit(body),)
        else:
            own = [_free_number(product.id, taken)]
            if product.id in rules["two_for_one_product"]:
                own.append(_free_number(f"{product.id} new box", taken))
            numbers[product.id] = tuple(own)
    return [replace(product, gtins=numbers[product.id]) for product in products]


def products() -> tuple[Product, ...]:
    """All products: singles, then what is made of them. Raises KeyError for an unknown case."""
    singles = {product.id: product for family in families() for product in _variants(family)}
    derived = [*_multipacks(singles), *_bundles(singles), *_refurbished(singles)]
    every = _numbered([*singles.values(), *derived])
    known = {product.id for product in every}
    rules, stated = cases()["gtin"], cases()["stated"]
    named = {name for pair in rules["one_for_two_variants"] for name in pair}
    named |= set(rules["two_for_one_product"])
    named |= {name for rows in stated.values() for _, name in rows}
    if missing := named - known:
        raise KeyError(f"cases.toml names products that no sheet makes: {sorted(missing)}")
    return tuple(every)
