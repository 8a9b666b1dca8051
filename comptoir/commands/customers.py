"""`comptoir customers`: what is kept of a person, and how it goes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from comptoir.new_file import NewFile


@click.group()
def command() -> None:
    """Answer people who ask what is kept of them: docs/guides/customers.md."""


@command.command()
@click.argument("email")
def show(email: str) -> None:
    """Say where something of EMAIL is kept, how much, and what becomes of it when erased."""
    from checkout.erasure_records import KEPT, find_person, records_of
    from comptoir.installation import Installation

    with Installation().database.platform() as tx:
        person = find_person(tx, email)
        records = records_of(tx, person)
    for reference in person.order_refs:
        click.echo(f"order {reference}")
    for table, rows in records.items():
        if rows:
            click.echo(f"{len(rows):5} {table:20} {KEPT[table]}")


@command.command()
@click.argument("email")
@click.option("--to", "file", type=NewFile(), help="A file.")
def export(email: str, file: Path | None) -> None:
    """Write everything that is kept of EMAIL as JSON, for the person who asks for it."""
    import json

    from checkout.erasure_records import find_person, records_of
    from comptoir.installation import Installation

    with Installation().database.platform() as tx:
        person = find_person(tx, email)
        records = records_of(tx, person)
    document = {"email": person.email, "orders": person.order_refs, "records": records}
    text = json.dumps(document, default=str, ensure_ascii=False, indent=1)
    if file is None:
        click.echo(text)
    else:
        file.write_text(f"{text}\n", "utf-8")
        file.chmod(0o600)
        click.echo(f"{sum(map(len, records.values()))} records in {file}")


@command.command()
@click.argument("email")
@click.confirmation_option(prompt="Erase this person for ever?")
def erase(email: str) -> None:
    """Erase EMAIL. Amounts and accepted terms stay under the order's number, without the person."""
    from checkout.erasure import erase as forget
    from comptoir.installation import Installation

    with Installation().database.platform() as tx:
        done = forget(tx, email, datetime.now(UTC))
    click.echo(f"{done.orders} orders and {done.baskets} baskets no longer name anybody")
    for each in done.elsewhere:
        click.echo(
            f"tell {each.merchant_id}: its order {each.merchant_order or '-'}, "
            f"payment {each.payment_id or '-'} (order {each.order_ref})"
        )
