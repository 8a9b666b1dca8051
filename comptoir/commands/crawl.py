"""`comptoir crawl`: a merchant's declared source."""

from __future__ import annotations

import click

from comptoir.commands.ingest import finish


@click.command()
@click.argument("merchant")
@click.option("--base-url", help="Where the source lies, when it is not at the merchant's website.")
@click.option(
    "--allow-host",
    multiple=True,
    help="host:port that may be reached although it is not public (your own test shop).",
)
@click.option("--land-only", is_flag=True, help="Leave matching and indexing to the worker.")
def command(
    merchant: str, base_url: str | None, allow_host: tuple[str, ...], land_only: bool
) -> None:
    """Fetch MERCHANT's feed, or crawl its shop, as its TOML declares, and load it.

    A feed that has not changed since the last time is not loaded again. Shops are crawled politely:
    robots.txt is obeyed, pages, bytes and time are bounded.
    """
    from comptoir.installation import Installation
    from comptoir.progress import counted
    from comptoir.worker import drain
    from crawlers.ingest import crawl_source, ingest_source
    from mdm.merchants import read_merchant

    installation = Installation()
    with installation.database.platform() as tx:
        known = read_merchant(tx, merchant)
    load = crawl_source if known.source.get("format") == "json_ld" else ingest_source
    with counted(f"loading {merchant}", "records") as progress:
        report = load(
            installation.database,
            known,
            folder=installation.settings.data / "downloads",
            base_url=base_url,
            allow_hosts=frozenset(allow_host),
            progress=progress,
        )
    try:
        if not land_only and report.parked is None:
            drain(installation, label="matching and indexing")
    finally:
        # What has landed has landed, whatever kept it from the index.
        finish(installation, report, merchant)
