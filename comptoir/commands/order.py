"""`comptoir order`: purchases as they stand."""

from __future__ import annotations

import click


@click.group()
def command() -> None:
    """Show orders, and bring forward those that wait."""


@command.command()
@click.argument("order_ref")
def show(order_ref: str) -> None:
    """Show one order: each merchant's leg, its money, and the merchant's own order number."""
    from checkout.orders import read_order
    from comptoir.installation import Installation

    with Installation().database.platform() as tx:
        order = read_order(tx, order_ref)
    click.echo(f"order {order.order_ref}, confirmed {order.created_at:%Y-%m-%d %H:%M:%S}")
    click.echo(
        f"terms version {order.terms_version} ({order.terms_language}), "
        f"accepted {order.terms_accepted_at:%Y-%m-%d %H:%M:%S}"
    )
    for record in order.legs:
        leg = record.leg
        number = leg.merchant_order or "-"
        click.echo(
            f"  {leg.merchant_id:20} {leg.total!s:>14}  {record.state:18} money {record.money:10} "
            f"merchant's number {number}"
        )


@command.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
def list_(limit: int) -> None:
    """List the latest orders."""
    from checkout.orders import latest_orders
    from comptoir.installation import Installation

    with Installation().database.platform() as tx:
        orders = latest_orders(tx, limit)
    for order in orders:
        states = ", ".join(f"{record.leg.merchant_id} {record.state}" for record in order.legs)
        click.echo(f"{order.order_ref}  {order.created_at:%Y-%m-%d %H:%M}  {states}")
    if not orders:
        click.echo("no order yet")


@command.command()
def resume() -> None:
    """Take up purchases that a killed process has left open (the worker does this by itself)."""
    from checkout.purchase.advance import resume_all
    from comptoir.installation import Installation

    click.echo(f"{resume_all(Installation().checkout)} purchases taken up")
