"""`comptoir quarantine`: what was refused, and why."""

from __future__ import annotations

import click


@click.command()
@click.option("--merchant", help="Only this merchant's records.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(merchant: str | None, limit: int, as_json: bool) -> None:
    """List refused records with the reason of each and what the merchant can do."""
    import dataclasses

    import orjson

    from comptoir.installation import Installation
    from mdm.merchants import read_merchant
    from mdm.quarantine import list_quarantine

    with Installation().database.platform() as tx:
        if merchant is not None:
            read_merchant(tx, merchant)
        records = list_quarantine(tx, merchant_id=merchant, limit=limit)
    for record in records:
        if as_json:
            click.echo(orjson.dumps(dataclasses.asdict(record)).decode())
            continue
        where = f"record {record.position}" if record.position is not None else "feed"
        click.echo(f"{record.merchant_id}  {where}  {record.sku or '-'}  {record.code}")
        click.echo(f"    {record.reason}")
        if record.hint:
            click.echo(f"    -> {record.hint}")
    if not records and not as_json:
        click.echo("nothing is in quarantine")
