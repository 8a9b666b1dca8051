"""`comptoir merchant`: who sells, and the keys by which they push."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def command() -> None:
    """Add merchants and their keys. A merchant is one TOML file: docs/guides/add-a-merchant.md."""


@command.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--order-url", help="Address of its order system, for a merchant that takes orders.")
@click.option("--back-office", help="An order in its own pages: https://shop/o/{merchant_order}.")
@click.option("--payment-account", help="Its own account at the payment provider.")
@click.option(
    "--capture",
    type=click.Choice(["acceptance", "shipment"]),
    help="When it is paid: once it has accepted an order, or once it has shipped it.",
)
def add(
    file: Path,
    order_url: str | None,
    back_office: str | None,
    payment_account: str | None,
    capture: str | None,
) -> None:
    """Register the merchant of FILE, or bring it up to the file. Idempotent."""
    from dataclasses import replace

    from checkout.capture_moment import SETTING, check_capture_moment
    from checkout.customer_events.receivers import link
    from comptoir.installation import Installation
    from crawlers.merchant_file import read_merchant_file
    from mdm.merchants import register_merchant

    merchant = read_merchant_file(file)
    if back_office is not None:
        link(back_office, {})
    named = {
        "url": order_url,
        "back_office": back_office,
        "payment_account": payment_account,
        SETTING: capture,
    }
    given = {name: value for name, value in named.items() if value is not None}
    merchant = replace(merchant, connector_settings={**merchant.connector_settings, **given})
    check_capture_moment(merchant)
    with Installation().database.platform() as tx:
        register_merchant(tx, merchant)
    click.echo(f"merchant {merchant.id} ({merchant.name}) is on record: {merchant.execution}")


@command.command("list")
def list_() -> None:
    """List merchants with how their offers come in and how their orders go out."""
    from checkout.capture_moment import SETTING
    from comptoir.installation import Installation
    from kernel.offer_terms import Execution
    from mdm.merchants import list_merchants

    with Installation().database.platform() as tx:
        merchants = list_merchants(tx, sellers=False)
    if not merchants:
        click.echo("no merchant yet; add one: comptoir merchant add FILE")
    for merchant in merchants:
        source = merchant.source.get("format", "-")
        paid = ""
        if merchant.execution is Execution.EXECUTE:
            paid = f"  paid on {merchant.connector_settings.get(SETTING, 'acceptance')}"
        click.echo(f"{merchant.id:24} {merchant.name:24} {source:10} {merchant.execution}{paid}")


@command.command()
@click.argument("merchant_id")
@click.option("--revoke", is_flag=True, help="End all keys of the merchant instead.")
def key(merchant_id: str, revoke: bool) -> None:
    """Make a push key for MERCHANT_ID. It is shown once."""
    from comptoir.installation import Installation
    from mdm.merchants import read_merchant
    from tenants.merchant_keys import create_key, revoke_keys

    with Installation().database.platform() as tx:
        read_merchant(tx, merchant_id)
        if revoke:
            click.echo(f"{revoke_keys(tx, merchant_id)} keys ended")
        else:
            click.echo(create_key(tx, merchant_id))


@command.command()
@click.argument("merchant_id")
@click.option("--username", prompt=True)
@click.option("--password", prompt=True, hide_input=True)
@click.option(
    "--webhook-secret",
    prompt="Webhook secret",
    prompt_required=False,
    hide_input=True,
    help="The secret that signs its notices (ACP); without a value it is asked for.",
)
def account(merchant_id: str, username: str, password: str, webhook_secret: str | None) -> None:
    """Keep our account at the order system of MERCHANT_ID (in the data folder, mode 600)."""
    from comptoir.installation import Installation
    from comptoir.merchant_accounts import write_account
    from mdm.merchants import read_merchant

    installation = Installation()
    with installation.database.platform() as tx:
        read_merchant(tx, merchant_id)
    write_account(installation.settings.data, merchant_id, username, password, webhook_secret)
    click.echo(f"the account at {merchant_id} is kept")
