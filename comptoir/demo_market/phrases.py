"""Says facts, colours, packs and titles in French, German and English. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from comptoir.demo_market.model import Fact, Product
from comptoir.demo_market.sheets import wording

_PACK = {"fr": "lot de {}", "de": "{}er-Pack", "en": "pack of {}"}
_TERABYTE = {"fr": "To", "de": "TB", "en": "TB"}


def number(value: Fact, language: str) -> str:
    """A number with the decimal sign of the language; text as it is."""
    text = str(value)
    if isinstance(value, Decimal) and language != "en":
        return text.replace(".", ",")
    return text


def fact_text(key: str, value: Fact, language: str, *, short: bool = False) -> str:
    """A fact with its unit: `8 kg`, `classe A`, `1 To`; `short` writes `8kg`, `55"`."""
    row: Mapping[str, Mapping[str, str]] = wording()["facts"][key]
    if said := wording()["facts"][key].get("words", {}).get(str(value)):
        return str(said[language])
    unit = row.get("unit", {}).get(language, "")
    before = row.get("before", {}).get(language, "")
    if short and (brief := row.get("short", {}).get(language)) is not None:
        unit = brief
    if key == "storage_gb" and isinstance(value, int) and value >= 1024:
        value, unit = value // 1024, _TERABYTE[language]
    glue = "" if short or not unit else " "
    return f"{before} {number(value, language)}{glue}{unit}".strip()


def value_text(key: str, value: Fact, language: str) -> str:
    """A fact as a table states it: number and unit, without the word that titles put before it."""
    before = wording()["facts"][key].get("before", {}).get(language, "")
    return fact_text(key, value, language).removeprefix(before).strip()


def colour_text(colour: str, language: str, *, short: bool = False) -> str:
    """The colour in the language; `short` is the abbreviation of German stock lists."""
    row: Mapping[str, str] = wording()["colours"][colour]
    return row["short"] if short and language == "de" else row[language]


def pack_text(pack: int, language: str) -> str:
    """`lot de 2`; empty for a single."""
    return _PACK[language].format(pack) if pack > 1 else ""


def title_facts(category: int, facts: Mapping[str, Fact], axes: tuple[str, ...]) -> tuple[str, ...]:
    """Keys that belong in a title: those of the category, then what tells variants apart."""
    usual = [key for key in wording()["category"][str(category)]["facts"] if key in facts]
    return tuple(usual + [key for key in axes if key != "colour" and key not in usual])


def facts_said(product: Product, language: str, *, short: bool = False) -> list[str]:
    """The title facts of a product in words, in order."""
    keys = title_facts(product.category, product.facts, product.axes)
    return [fact_text(key, product.facts[key], language, short=short) for key in keys]


def clean_title(product: Product, language: str) -> str:
    """The pattern of the category, or of the language, filled in."""
    row = wording()["category"][str(product.category)]
    pattern: str = row.get("title", wording()["title"])[language]
    text = pattern.format(
        kind=product.kind[language],
        manufacturer=product.manufacturer,
        model=product.model,
        facts=" ".join(facts_said(product, language)),
        colour=colour_text(product.colour, language) if "colour" in product.axes else "",
    )
    return " ".join(f"{text} {pack_text(product.pack, language)}".split())


def description(text: str, facts: Mapping[str, Fact], language: str) -> str:
    """A sheet's text with its facts in words."""
    known = wording()["facts"]
    said = {key: fact_text(key, value, language) for key, value in facts.items() if key in known}
    # `fits` and the energy class stand in running text without the word that titles need.
    said |= {key: str(facts[key]) for key in ("fits", "energy_class") if key in facts}
    return text.format(**said)
