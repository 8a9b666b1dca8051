"""`comptoir product`: golden records, who says what in them, and whom to believe."""

from __future__ import annotations

import click


@click.group()
def command() -> None:
    """Show golden records with their sources, and set which sources are believed.

    See docs/guides/master-data.md.
    """


@command.command()
@click.argument("product_id")
@click.option("--language", "languages", multiple=True, help="Of the completeness (repeat).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def show(product_id: str, languages: tuple[str, ...], as_json: bool) -> None:
    """Show a product: each value, who states it, who states otherwise, what is missing.

    An id that was merged away leads to where its offers are.
    """
    import orjson

    from comptoir.installation import Installation
    from comptoir.master_data.records import LANGUAGES, record_json, record_lines

    with Installation().database.platform() as tx:
        record = record_json(tx, product_id, languages or LANGUAGES)
    if as_json:
        click.echo(orjson.dumps(record, option=orjson.OPT_INDENT_2).decode())
        return
    for line in record_lines(record):
        click.echo(line)


@command.command()
@click.argument("merchant_id")
@click.argument("field")
@click.argument("rank", type=int, required=False)
@click.option("--clear", is_flag=True, help="Take the rank back.")
@click.option("--by", "actor", help="Who acts (default: your login name).")
@click.option("--reason", default="", help="Why; kept in the record.")
def priority(
    merchant_id: str, field: str, rank: int | None, clear: bool, actor: str | None, reason: str
) -> None:
    """Believe MERCHANT_ID more (RANK above 0) or less (below 0) about FIELD than others.

    FIELD is manufacturer, category_id, image_urls, titles.de, titles.*, descriptions.*,
    attributes.power, attributes.* or * for all. A greater rank is heard first.
    """
    import getpass

    from comptoir.installation import Installation
    from comptoir.master_data.records import change_priority

    if (rank is None) == (not clear):
        raise click.UsageError("Give a RANK or --clear.")
    with Installation().database.platform() as tx:
        changed = change_priority(tx, merchant_id, field, rank, actor or getpass.getuser(), reason)
    click.echo(f"{changed} products merged anew")


@command.command()
def priorities() -> None:
    """List the ranks that were set."""
    from comptoir.installation import Installation
    from mdm.golden.priorities import read_priorities

    with Installation().database.platform() as tx:
        ranks = read_priorities(tx)
    for (merchant_id, field), rank in sorted(ranks.items()):
        click.echo(f"{merchant_id:24} {field:24} {rank:4}")
    if not ranks:
        click.echo("Every source is believed alike.")


@command.command()
@click.option("--learn", is_flag=True, help="Count the catalogue anew before.")
def expected(learn: bool) -> None:
    """List what each category is expected to state: what most of its products do."""
    from comptoir.installation import Installation
    from comptoir.progress import bar
    from kernel.categories import categories
    from mdm.golden.expectations import learn_expectations, read_expectations

    with Installation().database.platform() as tx:
        if learn:
            with bar("counting", None):
                learn_expectations(tx)
        found = read_expectations(tx)
    for category_id, shares in found.items():
        known = categories().get(category_id)
        stated = ", ".join(f"{key} {share} %" for key, share in shares.items())
        click.echo(f"{known.name('en') if known else category_id}: {stated}")
    if not found:
        click.echo("Nothing learnt yet, or the catalogue is too small: try --learn.")
