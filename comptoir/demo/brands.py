"""The two brands of the demonstration, from the files that come with this release."""

from __future__ import annotations

from importlib.resources import as_file, files

from comptoir.installation import Installation
from tenants.brand import read_brand_file
from tenants.registry import apply_brand

BRANDS = ("mirabelle", "taktwerk")


def apply_brands(installation: Installation) -> list[str]:
    """Put the brands on record; answers their names."""
    names = []
    for brand_id in BRANDS:
        with as_file(files("tenants").joinpath("bundled")) as folder:
            document, terms = read_brand_file(folder / f"{brand_id}.toml")
        with installation.database.platform() as tx:
            names.append(apply_brand(tx, document, terms).brand.name)
    return names
