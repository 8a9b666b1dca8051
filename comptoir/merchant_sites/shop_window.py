"""What a person sees of an offer on a merchant's page: words and prices in the page's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files

from babel.numbers import format_currency
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from comptoir.demo_market.model import MarketOffer, Product
from comptoir.demo_market.phrases import colour_text, value_text
from comptoir.demo_market.sheets import wording

_LABELS: Mapping[str, Mapping[str, str]] = {
    "fr": {
        "storage_gb": "Stockage", "ram_gb": "Mémoire vive", "screen_inch": "Écran",
        "capacity_kg": "Capacité", "energy_class": "Classe énergétique", "noise_db": "Bruit",
        "power_w": "Puissance", "weight_g": "Poids", "weight_kg": "Poids", "volume_l": "Volume",
        "spin_rpm": "Essorage", "material": "Matière", "size_eu": "Pointure",
        "resolution": "Définition", "refresh_hz": "Fréquence", "fits": "Compatible avec",
    },
    "de": {
        "storage_gb": "Speicher", "ram_gb": "Arbeitsspeicher", "screen_inch": "Bildschirm",
        "capacity_kg": "Fassungsvermögen", "energy_class": "Energieklasse",
        "noise_db": "Lautstärke", "power_w": "Leistung", "weight_g": "Gewicht",
        "weight_kg": "Gewicht", "volume_l": "Volumen", "spin_rpm": "Schleudern",
        "material": "Material", "size_eu": "Größe", "resolution": "Auflösung",
        "refresh_hz": "Bildfrequenz", "fits": "Passend für",
    },
}  # fmt: skip
_COLOUR = {"fr": "Couleur", "de": "Farbe"}
_COUNTRY = {
    "fr": {"FR": "France", "DE": "Allemagne"},
    "de": {"FR": "Frankreich", "DE": "Deutschland"},
}
_STOCK = {
    "fr": ("Épuisé pour le moment", "En stock : {}", "livré en {} jours"),
    "de": ("Zurzeit ausverkauft", "Auf Lager: {}", "Lieferung in {} Tagen"),
}

TEMPLATES = Environment(
    loader=FileSystemLoader(str(files("comptoir.merchant_sites").joinpath("templates"))),
    autoescape=select_autoescape(),
    undefined=StrictUndefined,
)


@dataclass(frozen=True, slots=True)
class Shown:
    """An offer in words."""

    offer: MarketOffer
    title: str
    description: str
    price: str
    list_price: str | None
    stock: str
    days: str
    facts: tuple[tuple[str, str], ...]
    delivery: tuple[tuple[str, str], ...]


def money_text(minor: int, currency: str, language: str) -> str:
    """`1 299,00 €`, `1.299,00 €`."""
    return format_currency(Decimal(minor).scaleb(-2), currency, locale=language)


def _facts(product: Product, language: str) -> tuple[tuple[str, str], ...]:
    labels, known = _LABELS[language], wording()["facts"]
    rows = [
        (labels[key], value_text(key, value, language))
        for key, value in product.facts.items()
        if key in labels and key in known
    ]
    return (*rows, (_COLOUR[language], colour_text(product.colour, language)))


def shown(offer: MarketOffer, product: Product, language: str) -> Shown:
    """The offer in the language; its own title where it is the offer's language."""
    own = offer.language == language
    none_left, left, days = _STOCK[language]
    return Shown(
        offer=offer,
        title=offer.title if own else product.titles[language],
        description=offer.description if own else product.descriptions[language],
        price=money_text(offer.price_minor, offer.currency, language),
        list_price=money_text(offer.list_price_minor, offer.currency, language)
        if offer.list_price_minor
        else None,
        stock=left.format(offer.stock) if offer.stock else none_left,
        days=days.format(offer.delivery_days),
        facts=_facts(product, language),
        delivery=tuple(
            (_COUNTRY[language][country], money_text(minor, offer.currency, language))
            for country, minor in offer.delivery.items()
        ),
    )
