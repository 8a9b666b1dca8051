"""The peers of the demonstration as child processes: merchants' sites, shops, payment provider."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from comptoir.demo.plan import DemoPlan
from comptoir.demo_market import Market, oscar_catalogue
from comptoir.merchant_accounts import write_account
from comptoir.merchant_oscar.install import OscarInstallation, install_shop
from comptoir.merchant_oscar.run import load_catalogue
from comptoir.payment_simulator.keys import platform_keys
from comptoir.supervisor import Child


def sites(plan: DemoPlan) -> Child:
    """The merchants' own web sites and feeds."""
    return _server(plan, "merchants' sites", "merchant_sites", plan.sites, ready="/robots.txt")


def payment(plan: DemoPlan) -> Child:
    """The payment provider."""
    data = ("--data", str(plan.data / "payment"))
    return _server(plan, "payment provider", "payment_simulator", plan.payment, *data)


def werkkontor(plan: DemoPlan) -> Child:
    """Werkkontor's checkout: a merchant's server that speaks UCP, and lets our shop buy."""
    data, prefix = ("--data", str(_werkkontor_folder(plan))), ("--order-prefix", "WK")
    options = (*data, "--platform", plan.shop, *prefix)
    return _server(plan, "Werkkontor", "protocol_merchant", plan.werkkontor, *options)


def _server(
    plan: DemoPlan, name: str, module: str, address: str, *options: str, ready: str = "/health"
) -> Child:
    """A server that is a module of ours, at its address."""
    port = address.rpartition(":")[2]
    return Child(
        name=name,
        arguments=(sys.executable, "-m", f"comptoir.{module}", "--port", port, *options),
        environment=plan.environment(),
        log=plan.data / "logs" / f"{module}.log",
        ready_urls=(address + ready,),
    )


def fill_werkkontor(plan: DemoPlan, market: Market) -> str:
    """Put what Werkkontor sells into its checkout; answers how many articles that are."""
    import httpx2

    articles = [
        {
            "sku": offer.sku,
            "title": offer.title,
            "price_minor": offer.price_minor,
            "currency": offer.currency,
            "stock": offer.stock,
            "delivery": dict(offer.delivery),
        }
        for offer in market.offers_of("werkkontor")
    ]
    key = platform_keys(_werkkontor_folder(plan)).api_key
    headers = {"authorization": f"Bearer {key}"}
    with httpx2.Client(base_url=plan.werkkontor, headers=headers, trust_env=False) as client:
        client.put("/shop/articles", json=articles).raise_for_status()
    return f"{len(articles)} articles"


def _werkkontor_folder(plan: DemoPlan) -> Path:
    return plan.data / "werkkontor"


def tell_webhook_address(plan: DemoPlan) -> None:
    """Have the payment provider send its notices to the shop."""
    import httpx2

    headers = {"authorization": f"Bearer {plan.environment()['PAYMENT_API_KEY']}"}
    with httpx2.Client(base_url=plan.payment, headers=headers, trust_env=False) as client:
        address = f"{plan.shop}/webhooks/payments/simulator"
        client.put("/v1/webhook-endpoint", json={"url": address}).raise_for_status()


def install_oscar(
    plan: DemoPlan, market: Market, report: Callable[[str], None]
) -> OscarInstallation:
    """Install the Oscar shop, load its catalogue, keep our account there. Idempotent."""
    folder = plan.data / "oscar"
    installation = install_shop(folder, None, report)
    rows = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in oscar_catalogue(market))
    sheets, loaded = folder / "catalogue.jsonl", folder / "catalogue.loaded"
    sheets.write_text(rows, "utf-8")
    if not loaded.is_file() or loaded.read_text("utf-8") != rows:
        report("django-oscar: loading its catalogue")
        load_catalogue(installation, sheets)
        loaded.write_text(rows, "utf-8")
    write_account(plan.data, "maison-oscar", "comptoir", installation.password("platform"))
    return installation


def oscar(plan: DemoPlan, installation: OscarInstallation) -> Child:
    """The django-oscar shop."""
    listen = f"--listen={plan.oscar.removeprefix('http://')}"
    return Child(
        name="Maison Oscar",
        arguments=(
            *(str(installation.python), "-m", "waitress", listen),
            *("--threads=4", "merchant.wsgi:application"),
        ),
        environment=installation.environment(),
        log=plan.data / "logs" / "oscar.log",
        ready_urls=(f"{plan.oscar}/health/",),
        working_folder=Path(installation.data_dir),
    )
