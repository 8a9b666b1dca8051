"""`comptoir review`: the queue of questions to stewards, their answers, and acts on products."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from comptoir.commands.row_number import RowNumber

if TYPE_CHECKING:
    from mdm.stewardship.plans import Asked

LONG = click.IntRange(1, 10_000)
QUESTION = RowNumber("comptoir review list")
ACT = RowNumber("comptoir review history")


@click.group()
def command() -> None:
    """Answer what the matcher asks; merge, split and move by hand; take any of it back.

    See docs/guides/stewardship.md.
    """


def _acting(function: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--by", "actor", help="Who acts (default: your login name)."),
        click.option("--reason", default="", help="Why; kept in the record."),
        click.option("--sure", is_flag=True, help="Confirm what the impact asks to confirm."),
        click.option("--dry-run", is_flag=True, help="Tell the impact, do nothing."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object."),
    ):
        function = option(function)
    return function


@command.command("list")
@click.option("--limit", type=LONG, default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_(limit: int, as_json: bool) -> None:
    """List open questions, what is most at stake first: traffic x price spread x uncertainty."""
    from comptoir.installation import Installation
    from comptoir.stewardship.showing import question_json
    from mdm.stewardship import reviews
    from mdm.stewardship.sides import read_sides

    with Installation().database.platform() as tx:
        found = reviews.queue(tx, limit)
        sides = read_sides(tx, {each for row in found for each in (row.offer_id, row.against)})
        counted = reviews.counts(tx)
    shown = [question_json(each, sides) for each in found]
    if as_json:
        _write({"counts": counted, "reviews": shown})
        return
    for each in shown:
        click.echo(f"{each['id']:>8}  {each['probability']:.0%}  at stake {each['stake']:,.0f}")
        for offer in each["offers"]:
            click.echo(
                f"{'':10}{offer['offer']}  {offer['merchant'][:20]:20}  {offer['title'][:70]}"
            )
    click.echo(f"{counted['open']} open, {counted['decided']} decided, {counted['lapsed']} lapsed")


@command.command()
@click.argument("review_id", type=QUESTION)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(review_id: int, as_json: bool) -> None:
    """Show a question: both offers, what differs, the evidence for and against."""
    from comptoir.installation import Installation
    from comptoir.stewardship.showing import full_question
    from comptoir.stewardship.wording import lines
    from kernel.money import Money

    with Installation().database.platform() as tx:
        asked = full_question(tx, review_id)
    if as_json:
        _write(asked)
        return
    click.echo(f"review {asked['id']} ({asked['state']}): {asked['probability']:.0%} alike")
    for offer in asked["offers"]:
        price = Money(**offer["price"]) if offer["price"] else "no price"
        click.echo(f"  {offer['offer']}  {offer['merchant']}  {offer['condition']}  {price}")
        click.echo(f"    {offer['title']}")
        click.echo(f"    product {offer['product']}, {offer['other_offers']} other offers")
    for row in asked["facts"]:
        mark = "!" if row["differs"] else " "
        click.echo(
            f"  {mark} {row['key']:16} {row['values'][0] or '-'} | {row['values'][1] or '-'}"
        )
    if asked["held_back"]:
        click.echo(f"  asked because: {asked['held_back']}")
    for line in lines(asked["evidence"]):
        click.echo(line)


@command.command()
@click.argument("review_id", type=QUESTION)
@_acting
def accept(review_id: int, **how: Any) -> None:
    """Say that both offers are the same product."""
    from mdm.stewardship.plans import Asked

    _act(Asked("accept", review_id), **how)


@command.command()
@click.argument("review_id", type=QUESTION)
@_acting
def reject(review_id: int, **how: Any) -> None:
    """Say that the offers are different products."""
    from mdm.stewardship.plans import Asked

    _act(Asked("reject", review_id), **how)


@command.command()
@click.argument("product_ids", nargs=-1, required=True)
@_acting
def merge(product_ids: tuple[str, ...], **how: Any) -> None:
    """Make the PRODUCT_IDS one product; the oldest keeps its id, the others lead to it."""
    from mdm.stewardship.plans import Asked

    _act(Asked("merge", products=product_ids), **how)


@command.command()
@click.argument("product_id")
@click.argument("offer_ids", nargs=-1, required=True)
@_acting
def split(product_id: str, offer_ids: tuple[str, ...], **how: Any) -> None:
    """Say that OFFER_IDS are another product than the rest of PRODUCT_ID.

    The majority keeps the id.
    """
    from mdm.stewardship.plans import Asked

    _act(Asked("split", products=(product_id,), offers=offer_ids), **how)


@command.command()
@click.argument("product_id")
@click.argument("offer_ids", nargs=-1, required=True)
@_acting
def move(product_id: str, offer_ids: tuple[str, ...], **how: Any) -> None:
    """Give OFFER_IDS to PRODUCT_ID."""
    from mdm.stewardship.plans import Asked

    _act(Asked("move", products=(product_id,), offers=offer_ids), **how)


@command.command()
@click.argument("act_id", type=ACT)
@_acting
def undo(act_id: int, **how: Any) -> None:
    """Take an act back: offers, decisions and questions are as they were before it."""
    from mdm.stewardship.plans import Asked

    _act(Asked("undo", act_id=act_id), **how)


@command.command()
@click.option("--limit", type=LONG, default=30, show_default=True)
@click.option("--by", "actor", help="Acts of this operator alone.")
@click.option("--product", help="Acts on this product alone.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def history(limit: int, actor: str | None, product: str | None, as_json: bool) -> None:
    """List who did what, when and why, newest first."""
    from comptoir.installation import Installation
    from comptoir.stewardship.showing import record_json, record_line
    from mdm.stewardship.trail import history as trail

    with Installation().database.platform() as tx:
        found = trail(tx, limit, who=actor, product_id=product)
    if as_json:
        _write([record_json(each) for each in found])
    else:
        click.echo("\n".join(map(record_line, found)) or "nobody has done anything yet")


def _act(
    asked: Asked, actor: str | None, reason: str, sure: bool, dry_run: bool, as_json: bool
) -> None:
    import getpass
    from datetime import UTC, datetime

    from comptoir.installation import Installation
    from comptoir.stewardship import showing
    from mdm.stewardship.acts import perform, preview

    with Installation().database.platform() as tx:
        if dry_run:
            impact = preview(tx, asked)
            if as_json:
                _write(showing.impact_json(impact))
            else:
                click.echo("\n".join(showing.impact_lines(impact)))
            return
        now = datetime.now(UTC)
        done = perform(tx, asked, actor or getpass.getuser(), reason, now, sure=sure)
    if as_json:
        _write(showing.done_json(done))
    else:
        click.echo(showing.done_line(done))


def _write(value: Any) -> None:
    import json

    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))
