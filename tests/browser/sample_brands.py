"""What all samples of pages share: the brands, the hour, awkward titles, amounts."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from importlib.resources import files

from kernel.money import Money
from tenants.brand import Brand, brand_from

NOW = datetime(2026, 11, 22, 9, 41, tzinfo=UTC)
SPEAKS = {"mirabelle": "fr", "taktwerk": "de"}
TITLES = {
    "fr": (
        "Smartphone Aurelio Nova 5",
        "Lave-linge hublot Hydranor WX80-T240",
        "Réfrigérateur-congélateur combiné Frostheim KG 366",
        "Casque audio sans fil à réduction de bruit Sonnblick Ruhe 2",
        "Ordinateur portable Brantholm Feder 14",
    ),
    "de": (
        "Smartphone Aurelio Nova 5",
        "Waschmaschine Frontlader Hydranor WX80-T240",
        "Kühl-Gefrierkombination Frostheim KG 366 NoFrost",
        "Geräuschunterdrückungskopfhörer Sonnblick Ruhe 2",
        "Notebook Brantholm Feder 14",
    ),
}


def euros(cents: int) -> Money:
    return Money(cents, "EUR")


def brand(name: str) -> Brand:
    text = files("tenants").joinpath("bundled", f"{name}.toml").read_text("utf-8")
    return brand_from(tomllib.loads(text))


def spoken(language: str) -> Brand:
    """The brand whose pages are shown in the language."""
    return brand(next(name for name, first in SPEAKS.items() if first == language))
