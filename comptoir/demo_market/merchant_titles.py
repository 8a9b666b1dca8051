"""How each merchant words a title: order, abbreviations, units, noise. Pure given the chance.

What tells variants apart is always said, as a buyer would expect; how it is said differs.
"""

from __future__ import annotations

from random import Random

from comptoir.demo_market.model import Product
from comptoir.demo_market.phrases import colour_text, fact_text, facts_said, pack_text
from comptoir.demo_market.sheets import wording

_LUMIPORTE_NOISE = ("", "", "", "", " | Garantie 2 ans", " - Livraison rapide", " - NOUVEAU")
_WERKKONTOR_NOISE = ("", "", "", "", " NEU OVP", " - sofort lieferbar", " *TOP*")


def _colour(product: Product, language: str, *, short: bool = False) -> str:
    if "colour" not in product.axes:
        return ""
    return colour_text(product.colour, language, short=short)


def _joined(words: list[str], glue: str = " ") -> str:
    return glue.join(word for word in words if word)


def _french_of(name: str) -> str:
    return f"d'{name}" if name[0] in "AEIOU" else f"de {name}"


def lumiporte(product: Product, chance: Random) -> str:
    """`Lave-linge hublot Hydranor WX80-T240 - 8 kg, 1400 tr/min, classe A - Blanc`."""
    compact = chance.random() < 0.3
    facts = _joined(facts_said(product, "fr", short=compact), ", ")
    name = f"{product.kind['fr']} {product.manufacturer} {product.model}"
    if chance.random() < 0.25 and product.model not in product.mpn:
        name += f" ({product.mpn})"
    colour = _colour(product, "fr").capitalize()
    title = _joined([name, facts, colour, pack_text(product.pack, "fr")], " - ")
    if product.condition == "refurbished":
        return f"{title} - Reconditionné"
    return title + chance.choice(_LUMIPORTE_NOISE)


def werkkontor(product: Product, chance: Random) -> str:
    """`HYDRANOR WX80-T240 WaMa 8kg 1400U/min EEK A ws`."""
    abbreviated = chance.random() < 0.6
    short_kind = wording()["category"][str(product.category)]["short"]
    facts = facts_said(product, "de", short=abbreviated)
    title = _joined(
        [
            f"{product.pack}x" if product.pack > 1 else "",
            product.manufacturer.upper() if chance.random() < 0.7 else product.manufacturer,
            product.mpn if chance.random() < 0.3 else product.model,
            short_kind if abbreviated else product.kind["de"],
            *[fact.replace("Energieklasse", "EEK") for fact in facts],
            _colour(product, "de", short=abbreviated),
        ]
    )
    if product.condition == "refurbished":
        return f"{title} generalüberholt"
    return title + chance.choice(_WERKKONTOR_NOISE)


def atelier_boreal(product: Product, language: str, chance: Random) -> str:
    """`WX80-T240 de Hydranor, lave-linge hublot 8 kg blanc`: written like a sentence."""
    maker = {"fr": _french_of, "de": "von {}".format}[language](product.manufacturer)
    kind = product.kind[language]
    spoken = kind if language == "de" else kind[0].lower() + kind[1:]
    facts = facts_said(product, language)
    if chance.random() < 0.4:
        axes = [key for key in product.axes if key != "colour"]
        facts = [fact_text(key, product.facts[key], language) for key in axes]
    title = _joined(
        [
            f"{product.model} {maker}, {spoken}",
            *facts,
            _colour(product, language),
            pack_text(product.pack, language),
        ]
    )
    state = {"fr": "reconditionné", "de": "generalüberholt"}[language]
    return f"{title}, {state}" if product.condition == "refurbished" else title


def stated_title(merchant: str, product: Product, language: str, chance: Random) -> str:
    """The merchant's own title; bundles and the Oscar shop use the clean title of the sheet."""
    if product.parts or merchant == "maison-oscar":
        return product.titles[language]
    if merchant == "lumiporte":
        return lumiporte(product, chance)
    if merchant == "werkkontor":
        return werkkontor(product, chance)
    return atelier_boreal(product, language, chance)
