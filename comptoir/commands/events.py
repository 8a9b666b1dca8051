"""`comptoir events`: other systems that are told of orders."""

from __future__ import annotations

from datetime import UTC, datetime

import click


@click.group()
def command() -> None:
    """Tell customer care, accounting and support of orders: docs/guides/customers.md."""


@command.command()
@click.argument("url")
@click.option("--brand", "brand_id", help="Of this brand alone; absent: of every brand.")
@click.option("--kind", "kinds", multiple=True, help="This kind of event; absent: every kind.")
@click.option("--link", "link_template", help="Its own page: https://crm.example/o/{order_ref}.")
def add(url: str, brand_id: str | None, kinds: tuple[str, ...], link_template: str | None) -> None:
    """Have events sent to URL. The secret that signs them is shown once."""
    from checkout.customer_events.receivers import add_receiver
    from comptoir.installation import Installation

    installation = Installation()
    chosen = None if brand_id is None else installation.brand(brand_id).id
    with installation.database.platform() as tx:
        made = add_receiver(
            tx,
            url,
            brand_id=chosen,
            kinds=kinds,
            link_template=link_template,
            allow_hosts=installation.event_allow_hosts,
            now=datetime.now(UTC),
        )
    click.echo(f"receiver {made.receiver_id}")
    click.echo(f"secret   {made.secret}")


@command.command()
def receivers() -> None:
    """List receivers."""
    from checkout.customer_events.receivers import receivers as on_record
    from comptoir.installation import Installation

    with Installation().database.platform() as tx:
        found = list(on_record(tx))
        if not found:
            click.echo("no receiver")
        for each in found:
            state = "ended" if each.ended_at is not None else each.brand_id or "every brand"
            kinds = ",".join(each.kinds) or "every event"
            click.echo(f"{each.receiver_id}  {state:16} {kinds:24} {each.url}")


@command.command()
@click.argument("receiver_id")
def end(receiver_id: str) -> None:
    """Send nothing more to RECEIVER_ID."""
    from checkout.customer_events.receivers import end_receiver
    from comptoir.installation import Installation

    with Installation().database.platform() as tx:
        end_receiver(tx, receiver_id, datetime.now(UTC))
    click.echo(f"{receiver_id} has ended")


@command.command("list")
@click.option("--state", type=click.Choice(["due", "sent", "dead"]), help="Only these.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
def list_(state: str | None, limit: int) -> None:
    """List the latest events, and what became of each at each receiver."""
    from checkout.customer_events.replay import deliveries
    from comptoir.installation import Installation

    with Installation().database.platform() as tx:
        found = deliveries(tx, state=state, limit=limit)
    for each in found:
        became = "nobody is told"
        if each.receiver_id is not None:
            became = f"{each.receiver_id} {each.state} after {each.tries} tries: {each.said or '-'}"
        click.echo(f"{each.event_id}  {each.kind:26} {each.order_ref}  {became}")
    if not found:
        click.echo("no such event")


@command.command()
@click.argument("receiver_id")
@click.option("--event", "event_id", help="This one.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
    help="All since this moment, in UTC.",
)
def replay(receiver_id: str, event_id: str | None, since: datetime | None) -> None:
    """Send events to RECEIVER_ID again, under their own ids; absent a choice: those that are dead.

    Events from before the receiver was added go too. The worker sends them within seconds.
    """
    from checkout.customer_events.replay import replay as again
    from comptoir.installation import Installation

    begin = None if since is None else since.replace(tzinfo=UTC)
    with Installation().database.platform() as tx:
        count = again(tx, receiver_id, datetime.now(UTC), event_id=event_id, since=begin)
    click.echo(f"{count} events are due again")
