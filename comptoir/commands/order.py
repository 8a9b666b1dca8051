"""`comptoir order`: purchases as they stand."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from checkout.deps import CheckoutDeps

_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?")


@click.group()
def command() -> None:
    """Show orders, and bring forward those that wait."""


@command.command()
@click.argument("order_ref")
def show(order_ref: str) -> None:
    """Show one order: each merchant's leg, its money, and the merchant's own order number.

    ORDER_REF may be the number that the buyer reads out, or what stands in the books: the first 16
    characters.
    """
    from checkout.customer_events.receivers import back_office, link
    from checkout.orders import find_order
    from comptoir.installation import Installation

    with Installation().database.platform() as tx:
        order = find_order(tx, order_ref)
        merchants = [record.leg.merchant_id for record in order.legs]
        pages = {each: back_office(tx, each) for each in merchants}
    click.echo(f"order {order.order_ref}, confirmed {order.created_at:%Y-%m-%d %H:%M:%S}")
    click.echo(
        f"terms version {order.terms_version} ({order.terms_language}), "
        f"accepted {order.terms_accepted_at:%Y-%m-%d %H:%M:%S}"
    )
    for terms in order.terms:
        click.echo(
            f"  terms of {terms.party} {terms.owner_id}: version {terms.version} "
            f"({terms.language}) {terms.sha256}"
        )
    for record in order.legs:
        leg = record.leg
        number = leg.merchant_order or "-"
        network = f"  card through {record.card_network}" if record.card_network else ""
        click.echo(
            f"  {leg.merchant_id:20} {leg.total!s:>14}  {record.state:18} money {record.money:10} "
            f"merchant's number {number}{network}"
        )
        template = pages[leg.merchant_id]
        if template is not None and leg.merchant_order is not None:
            known = {
                "order_ref": order.order_ref,
                "merchant": leg.merchant_id,
                "merchant_order": leg.merchant_order,
            }
            click.echo(f"    {link(template, known)}")


@command.command("link")
@click.argument("order_ref")
def link_for_buyer(order_ref: str) -> None:
    """Write the address that opens an order's page, for a buyer who has lost the letter.

    Whoever has the address sees the order: send it to the buyer's own e-mail address only.
    """
    from checkout.orders import find_order
    from checkout.pages.order_page import order_path
    from comptoir.installation import Installation

    installation = Installation()
    with installation.database.platform() as tx:
        order = find_order(tx, order_ref)
    signed = installation.order_links.order(order.brand_id, order.order_ref)
    click.echo(f"{order.site}{order_path(signed)}")


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


@command.command()
def waiting() -> None:
    """List what waits for a person, that with the least time first; ends with 1 if anything does.

    What the merchant says on the telephone is told by `comptoir order settle`.
    """
    from checkout.parked import parked_legs
    from comptoir.installation import Installation

    with Installation().database.platform() as tx:
        parked = parked_legs(tx)
    for each in parked:
        until = each.held_until
        held = "no money held" if until is None else f"money held until {until:%Y-%m-%d %H:%M}Z"
        click.echo(
            f"{each.order_ref}  {each.leg.merchant_id:20} {each.leg.total!s:>14}  "
            f"since {each.leg.state_since:%Y-%m-%d %H:%M}Z  {held}  {each.leg.attention}"
        )
    if parked:
        raise SystemExit(1)
    click.echo("nothing waits for a person")


@command.command()
@click.argument("order_ref")
@click.option("--merchant", "merchant_id", required=True, help="Whose part of the order.")
@click.option("--number", help="The merchant made the order: its own number.")
@click.option("--none", "is_none", is_flag=True, help="The merchant made no order and makes none.")
@click.option("--by", required=True, help="Who asked the merchant.")
def settle(order_ref: str, merchant_id: str, number: str | None, is_none: bool, by: str) -> None:
    """Say what a merchant said of an order in doubt, whose system does not answer.

    With --number it is charged, with --none its money is released.
    """
    from checkout.orders import find_order
    from checkout.parked import settle_doubt
    from comptoir.installation import Installation

    if (number is None) is not is_none:
        raise click.UsageError("Give one of --number and --none.")
    deps = Installation().checkout
    with deps.database.platform() as tx:
        order = find_order(tx, order_ref)
    settle_doubt(deps, order, merchant_id, number, by=by)
    _tell(deps, order_ref, merchant_id)


@command.command()
@click.argument("order_ref")
@click.option("--merchant", "merchant_id", required=True, help="Whose part of the order.")
@click.option("--by", required=True, help="Who asked the merchant.")
def shipped(order_ref: str, merchant_id: str, by: str) -> None:
    """Say that a merchant has shipped what is charged then, whose system does not say so."""
    from checkout.orders import find_order
    from checkout.parked import say_shipped
    from comptoir.installation import Installation

    deps = Installation().checkout
    with deps.database.platform() as tx:
        order = find_order(tx, order_ref)
    say_shipped(deps, order, merchant_id, by=by)
    _tell(deps, order_ref, merchant_id)


@command.command()
@click.argument("order_ref")
@click.option("--merchant", "merchant_id", required=True, help="Whose part of the order.")
def cancel(order_ref: str, merchant_id: str) -> None:
    """Ask a merchant to give its part of an order up; what was charged then goes back."""
    from checkout.after_sale import cancel as cancel_part
    from checkout.orders import find_order
    from checkout.purchase.advance import advance
    from comptoir.installation import Installation

    deps = Installation().checkout
    with deps.database.platform() as tx:
        order = find_order(tx, order_ref)
    cancel_part(deps, order, merchant_id)
    advance(deps, order.purchase_id)
    _tell(deps, order_ref, merchant_id)


@command.command()
@click.argument("order_ref")
@click.option("--merchant", "merchant_id", required=True, help="Whose part of the order.")
@click.option("--amount", help="Such as 12.90, in the order's currency; absent: all of it.")
@click.option("--key", required=True, help="Your own number of the case: the same gives back once.")
@click.option("--by", default="operator", show_default=True, help="Who decided it.")
def refund(order_ref: str, merchant_id: str, amount: str | None, key: str, by: str) -> None:
    """Give money back for a return, on the merchant's own payment account."""
    from checkout.after_sale import refund as give_back
    from checkout.orders import find_order
    from checkout.purchase.advance import advance
    from comptoir.installation import Installation
    from kernel.money import Money

    given = None if amount is None else _positive(amount)
    deps = Installation().checkout
    with deps.database.platform() as tx:
        order = find_order(tx, order_ref)
    totals = [record.leg.total for record in order.legs if record.leg.merchant_id == merchant_id]
    wanted = Money.of(given, totals[0].currency) if given is not None and totals else None
    give_back(deps, order, merchant_id, wanted, by=by, key=key)
    advance(deps, order.purchase_id)
    _tell(deps, order_ref, merchant_id)


def _positive(amount: str) -> Decimal:
    """More than nothing, in digits. Decimal alone takes NaN, Infinity and 1e999 as well, and an
    empty text would have given everything back.
    """
    if not _AMOUNT.fullmatch(amount) or not Decimal(amount):
        raise click.BadParameter(
            f"{amount!r} is no amount to give back; write it like 12.90.", param_hint="--amount"
        )
    return Decimal(amount)


def _tell(deps: CheckoutDeps, order_ref: str, merchant_id: str) -> None:
    from checkout.orders import find_order

    with deps.database.platform() as tx:
        order = find_order(tx, order_ref)
    for record in order.legs:
        if record.leg.merchant_id == merchant_id:
            click.echo(
                f"{merchant_id}: {record.state}, charged {record.leg.captured}, "
                f"given back {record.leg.refunded}"
            )
