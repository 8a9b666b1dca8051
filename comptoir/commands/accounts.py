"""`comptoir accounts`: commission, months that close, exports for accountants."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

import click

MONTH = click.argument("period", metavar="MONTH")
FORMATS = click.Choice(["fec", "datev", "csv", "jsonl"])


@click.group()
def command() -> None:
    """Keep the books: docs/guides/accounting.md. A MONTH is written 2026-11."""


@command.command()
@click.argument("merchant_id")
@click.argument("percent")
@click.option(
    "--from",
    "valid_from",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
    help="From this moment on, in UTC; absent: now.",
)
def rate(merchant_id: str, percent: str, valid_from: datetime | None) -> None:
    """Put the commission of MERCHANT_ID on record: PERCENT of the goods, such as 6.5.

    Who owes its tax follows from the merchant's country and ACCOUNTS_COUNTRY.
    """
    from checkout.accounting.commission import record_rate
    from checkout.accounting.vat import treatment_of
    from comptoir.installation import Installation
    from mdm.merchants import read_merchant

    share = _basis_points(percent)
    installation = Installation()
    home = installation.settings.accounts_country
    begins = None if valid_from is None else valid_from.replace(tzinfo=UTC)
    with installation.database.platform() as tx:
        merchant = read_merchant(tx, merchant_id)
        treatment = treatment_of(home, merchant.country)
        made = record_rate(tx, merchant_id, share, treatment, home, valid_from=begins)
    click.echo(
        f"{merchant_id}: version {made.version}, {_percent(made.basis_points)} % from "
        f"{made.valid_from:%Y-%m-%d %H:%M}Z, tax: {made.vat_country or made.treatment}"
    )


def _basis_points(percent: str) -> int:
    try:
        points = Decimal(percent.replace(",", ".")) * 100
    except InvalidOperation:
        points = Decimal(-1)
    if points.is_nan() or not 0 <= points <= 5000 or points != int(points):
        raise click.BadParameter(f"{percent} is no share from 0 to 50 with two decimals at most")
    return int(points)


def _percent(basis_points: int) -> str:
    return f"{Decimal(basis_points).scaleb(-2)}"


@command.command()
@click.argument("merchant_id", required=False)
def rates(merchant_id: str | None) -> None:
    """List every rate on record, the newest of each merchant first."""
    from checkout.accounting.commission import rates as on_record
    from comptoir.installation import Installation

    with Installation().database.platform() as tx:
        found = list(on_record(tx, merchant_id))
        if not found:
            click.echo("no rate on record")
        for each in found:
            click.echo(
                f"{each.merchant_id:24} version {each.version:3} "
                f"{_percent(each.basis_points):>6} % from {each.valid_from:%Y-%m-%d %H:%M}Z  "
                f"tax: {each.vat_country or each.treatment}"
            )


@command.command()
@MONTH
def invoices(period: str) -> None:
    """Show what each merchant owes for MONTH; an open month has no numbers yet."""
    from checkout.accounting.invoices import invoices_of, owed_in
    from checkout.accounting.periods import checked_period, closed_period
    from comptoir.installation import Installation

    with Installation().database.platform() as tx:
        is_closed = closed_period(tx, checked_period(period)) is not None
        owed = invoices_of(tx, period) if is_closed else owed_in(tx, period)
    for each in owed:
        click.echo(
            f"{each.number or '(open)':14} {each.merchant_id:24} {each.orders:6} orders  "
            f"net {each.net!s:>14}  tax {each.vat_country or '-':2} {each.vat!s:>12}  "
            f"total {each.total!s:>14}"
        )
    if not owed:
        click.echo("no commission in this month")


@command.command()
@MONTH
def close(period: str) -> None:
    """Close MONTH for ever and issue its invoices. Later entries go to the next open month."""
    from checkout.accounting.periods import close_period
    from checkout.accounting.presentation import current_presentation
    from comptoir.installation import Installation
    from comptoir.progress import bar

    installation = Installation()
    shown = current_presentation(installation.settings)
    with bar("closing", None), installation.database.platform() as tx:
        closed = close_period(tx, period, shown, datetime.now(UTC))
    click.echo(f"{closed.period} is closed: {closed.transactions} transactions")
    click.echo(f"sha256 {closed.ledger_sha256}")


@command.command()
def check() -> None:
    """Count the hash of every closed month again."""
    from checkout.accounting.periods import closed_periods, ledger_sha256
    from comptoir.installation import Installation
    from comptoir.progress import bar

    wrong = []
    with Installation().database.platform() as tx:
        months = closed_periods(tx)
        with bar("counting", len(months), "months") as advance:
            for month in months:
                if ledger_sha256(tx, month.period) != month.ledger_sha256:
                    wrong.append(month.period)
                advance(1)
    if wrong:
        raise click.ClickException(f"not as they were closed: {', '.join(wrong)}")
    click.echo(f"{len(months)} closed months, each as it was closed")


@command.command()
@click.option(
    "--day", type=click.DateTime(["%Y-%m-%d"]), help="A day of UTC that is over; absent: yesterday."
)
def reconcile(day: datetime | None) -> None:
    """Compare the books of a day with the payment provider's own list.

    The worker does it every day. Ends with an error where anything differs.
    """
    from datetime import timedelta

    from checkout.reconciliation import reconcile as compare
    from comptoir.installation import Installation
    from comptoir.progress import bar

    deps = Installation().checkout
    now = datetime.now(UTC)
    chosen = (now - timedelta(days=1) if day is None else day).date()
    name = deps.settings.payment_provider
    with bar("comparing", None):
        found = compare(deps.database, name, deps.provider, chosen, now)
    click.echo(f"{chosen}: {found.bookings} bookings, {found.movements} movements at {name}")
    for each in found.findings:
        click.echo(
            f"{each.difference} {each.kind} {each.merchant_id} {each.reference}: "
            f"books {each.ours or '-'}, provider {each.theirs or '-'}"
        )
        click.echo(f"    {each.why} {each.hint}")
    if found.findings:
        raise click.ClickException(f"{len(found.findings)} differences")


@command.command()
@click.option("--period", required=True, help="The month, such as 2026-11; FEC: or a year.")
@click.option("--format", "format_", type=FORMATS, required=True)
@click.option("--book", help="platform, or merchant:ID; absent: all (FEC and DATEV: platform).")
@click.option("--currency", help="Entries of this currency alone; FEC and DATEV hold EUR.")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path(),
    help="Folder to write into; absent: this one.",
)
def export(period: str, format_: str, book: str | None, currency: str | None, folder: Path) -> None:
    """Write a month into a file. A closed month is byte for byte the same for ever.

    The French tax office wants a FEC of the whole year: --period 2026.
    """
    from checkout.accounting.export import Wanted
    from checkout.accounting.export import export as write
    from checkout.accounting.presentation import current_presentation
    from comptoir.installation import Installation
    from comptoir.progress import bar

    installation = Installation()
    shown = current_presentation(installation.settings)
    wanted = Wanted(period, format_, book, currency)
    with bar("exporting", None), installation.database.platform() as tx:
        made = write(tx, wanted, folder, shown, datetime.now(UTC))
    state = "final" if made.is_final else "PROVISIONAL: not all of it is closed"
    click.echo(f"{made.file}: {made.entries} entries, {state}")
    click.echo(f"sha256 {made.sha256}")
    for part in made.files[1:]:
        click.echo(f"{part.file}: goes on there\nsha256 {part.sha256}")
    for each in made.left_out:
        click.echo(f"not in this file: entries in {each}; csv and jsonl hold them")
