"""`comptoir search`: what a shopper of a brand would find."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from search_api.answer import SearchAnswer


@click.command()
@click.argument("query")
@click.option("--brand", help="Brand to search as (default: the first one).")
@click.option("--language", type=click.Choice(["fr", "de", "en"]), help="Default: the brand's.")
@click.option("--sort", type=click.Choice(["relevance", "price_asc", "price_desc", "newest"]))
@click.option("--page", type=click.IntRange(1, 1000), default=1, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The answer of GET /v1/search.")
def command(
    query: str, brand: str | None, language: str | None, sort: str | None, page: int, as_json: bool
) -> None:
    """Search for QUERY as a shopper would, with totals that include delivery."""
    from comptoir.installation import Installation
    from search_api.overview import Overviews
    from search_api.query import read_query
    from search_api.search import Shop

    installation = Installation()
    asked = installation.brand(brand)
    shop = Shop(installation.engine, installation.encoder, Overviews(installation.engine))
    shop.snapshots.load(asked.id)
    pairs = [("q", query), ("page", str(page)), *([("sort", sort)] if sort else [])]
    answer = shop.search(read_query(pairs, asked.currency), asked, language or asked.languages[0])
    if as_json:
        import json

        from search_api.answer_json import as_json as written

        click.echo(json.dumps(json.loads(written(answer)), ensure_ascii=False, indent=2))
    else:
        _print(answer)


def _print(answer: SearchAnswer) -> None:
    for product in answer.products:
        total = str(product.from_total) if product.from_total else "no total"
        click.echo(
            f"{total:>14}  {product.merchant_count} merchants  {product.title}  {product.id}"
        )
    for facet in answer.facets:
        values = ", ".join(f"{value.label} {value.count}" for value in facet.values[:6])
        click.echo(f"{facet.name:14} {values}")
    if answer.relaxation:
        click.echo(
            f"relaxed to {answer.relaxation.step}: "
            f"{answer.relaxation.matched_all} products have every word"
        )
    click.echo(
        f"{answer.total} products, page {answer.page} of {answer.pages}, {answer.took_ms} ms"
    )
