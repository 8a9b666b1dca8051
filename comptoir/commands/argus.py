"""`comptoir argus`: what a product is worth, new and by grade."""

from __future__ import annotations

from pathlib import Path

import click

from comptoir.new_file import NewFile


@click.command()
@click.argument("product_id")
@click.option("--currency", help="ISO 4217 (default: that of most of its offers).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--chart", type=NewFile(), help="Write a drawing (SVG) here.")
def command(product_id: str, currency: str | None, as_json: bool, chart: Path | None) -> None:
    """Value PRODUCT_ID by grade: the middle of prices asked and paid, with an interval.

    Outliers are left out, old prices fade, worse kept is never worth more; `unknown` stands where
    too few offers or sales are known.
    """
    import orjson

    from comptoir.installation import Installation
    from comptoir.master_data.argus import argus_json, argus_lines, argus_svg, read_argus

    with Installation().database.platform() as tx:
        argus = read_argus(tx, product_id, currency)
    if chart is not None:
        chart.write_text(argus_svg(argus), "utf-8")
    if as_json:
        click.echo(orjson.dumps(argus_json(argus), option=orjson.OPT_INDENT_2).decode())
        return
    for line in argus_lines(argus):
        click.echo(line)
