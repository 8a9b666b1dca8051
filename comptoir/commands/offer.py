"""`comptoir offer`: offers as they are known, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click


@click.group()
def command() -> None:
    """Show offers, the product they belong to and why, and their prices over time."""


@command.command()
@click.argument("offer_id")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(offer_id: str, as_json: bool) -> None:
    """Show one offer, its price history, and the evidence that joined it to its product."""
    import dataclasses

    import orjson

    from comptoir.installation import Installation
    from kernel.errors import NotFound
    from mdm.offers import match_evidence, price_history, read_offer

    with Installation().database.platform() as tx:
        offer = read_offer(tx, offer_id)
        if offer is None:
            raise NotFound("offer_unknown", f"No live offer is called {offer_id!r}")
        history = price_history(tx, offer_id)
        evidence = match_evidence(tx, offer_id)
    if as_json:
        document = {"offer": offer, "price_history": history, "match": evidence}
        click.echo(orjson.dumps(document, default=_plain, option=orjson.OPT_INDENT_2).decode())
        return
    click.echo(f"{offer.title}\n{offer.merchant_name} {offer.sku}, product {offer.product_id}")
    for field in dataclasses.fields(offer):
        if field.name in {"condition", "availability", "quantity", "execution", "url"}:
            click.echo(f"  {field.name:14} {getattr(offer, field.name)}")
    for delivery in offer.delivery:
        click.echo(f"  delivery {delivery.country}    {delivery.price}")
    for point in history:
        click.echo(f"  {point.observed_at:%Y-%m-%d %H:%M}  {point.price}  {point.availability}")
    if evidence:
        _tell(evidence)


def _tell(evidence: Mapping[str, Any]) -> None:
    """Why it is where it is, and not with others."""
    from comptoir.stewardship.reasons import reason
    from comptoir.stewardship.wording import lines
    from mdm.stewardship.kept_apart import read_reason

    score = f", {evidence['score']:.0%} alike" if evidence.get("score") is not None else ""
    beside = f" with {evidence['compared_with']}" if evidence.get("compared_with") else ""
    click.echo(f"  {evidence['decision']}{beside}{score}")
    for line in lines(evidence):
        click.echo(line)
    for told in evidence.get("kept_apart", ()):
        why, other = read_reason(told)
        click.echo(f"  apart from {other or 'others'}: {reason(why).english}")


@command.command("list")
@click.argument("product_id")
def list_(product_id: str) -> None:
    """List the offers of a product (PRODUCT_ID follows merges)."""
    from comptoir.installation import Installation
    from kernel.errors import NotFound
    from mdm.catalogue import product_views, resolve

    with Installation().database.platform() as tx:
        current = resolve(tx, product_id)
        views = product_views(tx, [current]) if current else []
    if not views:
        raise NotFound("product_unknown", f"No product is called {product_id!r}")
    product = views[0]
    title = next(iter(product.titles.values()), "")
    click.echo(f"{title}\n{product.product_id} version {product.version}, {product.manufacturer}")
    for offer in product.offers:
        click.echo(
            f"  {offer.offer_id}  {offer.price or 'no price'!s:>14}  {offer.availability:12} "
            f"{offer.merchant_name:20} {offer.title[:60]}"
        )


def _plain(value: object) -> object:
    from kernel.money import Money

    if isinstance(value, Money):
        return str(value)
    raise TypeError(type(value).__name__)
