"""Loading the demonstration market: each merchant's own way in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.resources import as_file, files
from pathlib import Path

from comptoir.demo.plan import DemoPlan
from comptoir.demo_market import Market
from comptoir.demo_market.past_prices import past_prices
from comptoir.installation import Installation
from comptoir.merchant_oscar.install import OscarInstallation
from comptoir.merchant_oscar.run import push_offers
from crawlers.ingest import IngestReport, crawl_source, ingest_source
from crawlers.merchant_file import read_merchant_file
from kernel.errors import DomainError
from mdm.earlier_prices import record_earlier_prices
from mdm.merchants import Merchant, register_merchant
from tenants.merchant_keys import create_key, revoke_keys


def merchant(merchant_id: str, plan: DemoPlan) -> Merchant:
    """A merchant of the market, its addresses on this machine."""
    with as_file(files("comptoir.demo_market").joinpath("merchants")) as folder:
        described = read_merchant_file(Path(folder) / f"{merchant_id}.toml")
    addresses = {"oscar": plan.oscar, "ucp": plan.werkkontor}
    if described.connector is None:
        return described
    return replace(described, connector_settings={"url": addresses[described.connector]})


def load_feed(installation: Installation, plan: DemoPlan, merchant_id: str) -> IngestReport:
    """Fetch and land a merchant's feed."""
    return _loaded(installation, plan, merchant_id, ingest_source)


def crawl(installation: Installation, plan: DemoPlan, merchant_id: str) -> IngestReport:
    """Crawl a merchant's shop."""
    return _loaded(installation, plan, merchant_id, crawl_source)


def _loaded(
    installation: Installation,
    plan: DemoPlan,
    merchant_id: str,
    load: Callable[..., IngestReport],
) -> IngestReport:
    report = load(
        installation.database,
        merchant(merchant_id, plan),
        folder=plan.data / "downloads",
        base_url=plan.sites,
        allow_hosts=frozenset({plan.site_host}),
    )
    if report.parked is not None:
        raise DomainError("demo_parked", f"a feed of the market was parked: {report.parked}")
    return report


def push(installation: Installation, plan: DemoPlan, shop: OscarInstallation) -> str:
    """Have the Oscar shop push its offers through our API; answers what it says in the end."""
    with installation.database.platform() as tx:
        register_merchant(tx, merchant("maison-oscar", plan))
        revoke_keys(tx, "maison-oscar")
        key = create_key(tx, "maison-oscar")
    said = push_offers(shop, url=plan.backoffice, key=key, shop_url=plan.oscar)[-1]
    return said.partition(":")[0]


def remember_past(installation: Installation, market: Market) -> int:
    """What the offers cost in the 90 days before, made up like the market; answers how many."""
    now = datetime.now(UTC)
    points = {
        key: [(now - timedelta(days=ago), minor) for ago, minor in past]
        for key, past in past_prices(market).items()
    }
    with installation.database.platform() as tx:
        return record_earlier_prices(tx, points, now)
