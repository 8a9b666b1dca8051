"""Loading the demonstration market: brands, merchants, and each merchant's own way in."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path

from comptoir.demo.plan import DemoPlan
from comptoir.installation import Installation
from comptoir.merchant_oscar.install import OscarInstallation
from comptoir.merchant_oscar.run import push_offers
from crawlers.ingest import IngestReport, crawl_source, ingest_source
from crawlers.merchant_file import read_merchant_file
from mdm.merchants import Merchant, register_merchant
from tenants.brand import read_brand_file
from tenants.merchant_keys import create_key, revoke_keys
from tenants.registry import apply_brand

BRANDS = ("mirabelle", "taktwerk")
MERCHANTS = ("lumiporte", "werkkontor", "atelier-boreal", "maison-oscar")


def apply_brands(installation: Installation) -> list[str]:
    """Put the two brands on record; answers their names."""
    names = []
    for brand_id in BRANDS:
        with as_file(files("tenants").joinpath("bundled")) as folder:
            document, terms = read_brand_file(folder / f"{brand_id}.toml")
        with installation.database.platform() as tx:
            names.append(apply_brand(tx, document, terms).brand.name)
    return names


def merchant(merchant_id: str, plan: DemoPlan) -> Merchant:
    """A merchant of the market, its addresses on this machine."""
    with as_file(files("comptoir.demo_market").joinpath("merchants")) as folder:
        described = read_merchant_file(Path(folder) / f"{merchant_id}.toml")
    if described.connector is None:
        return described
    return replace(described, connector_settings={"url": plan.oscar})


def load_feed(installation: Installation, plan: DemoPlan, merchant_id: str) -> IngestReport:
    """Fetch and land a merchant's feed."""
    return ingest_source(
        installation.database,
        merchant(merchant_id, plan),
        folder=plan.data / "downloads",
        base_url=plan.sites,
        allow_hosts=frozenset({plan.site_host}),
    )


def crawl(installation: Installation, plan: DemoPlan, merchant_id: str) -> IngestReport:
    """Crawl a merchant's shop."""
    return crawl_source(
        installation.database,
        merchant(merchant_id, plan),
        folder=plan.data / "downloads",
        base_url=plan.sites,
        allow_hosts=frozenset({plan.site_host}),
    )


def push(installation: Installation, plan: DemoPlan, shop: OscarInstallation) -> str:
    """Have the Oscar shop push its offers through our API; answers its last line."""
    with installation.database.platform() as tx:
        register_merchant(tx, merchant("maison-oscar", plan))
        revoke_keys(tx, "maison-oscar")
        key = create_key(tx, "maison-oscar")
    return push_offers(shop, url=plan.backoffice, key=key, shop_url=plan.oscar)[-1]
