"""`comptoir brand`: the brands of this installation."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def command() -> None:
    """Apply and list brands. A brand is one TOML file; see docs/guides/add-a-brand.md."""


@command.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def apply(file: Path) -> None:
    """Put the brand of FILE on record, or bring it up to the file. Idempotent.

    Its terms of sale are published as a new version when their text has changed.
    """
    from comptoir.installation import Installation
    from kernel.jobs import defer
    from mdm.catalogue import CATALOGUE_CHANGED
    from tenants.brand import read_brand_file
    from tenants.registry import apply_brand

    document, terms_text = read_brand_file(file)
    installation = Installation()
    with installation.database.platform() as tx:
        applied = apply_brand(tx, document, terms_text)
        if applied.changed:
            defer(tx, CATALOGUE_CHANGED, once=CATALOGUE_CHANGED.name)
    brand = applied.brand
    what = f"is now at revision {brand.revision}" if applied.changed else "is unchanged"
    click.echo(f"brand {brand.id} {what}; terms version {applied.terms.version}")
    if applied.changed:
        click.echo("its index is built by the worker, or now: comptoir index refresh")


@command.command("list")
def list_() -> None:
    """List brands with their hosts, languages and country."""
    from comptoir.installation import Installation

    brands = Installation().brands.brands()
    for brand in brands.values():
        click.echo(
            f"{brand.id:16} {brand.name:20} {brand.country} {','.join(brand.languages):10} "
            f"{', '.join(brand.hosts)}"
        )
    if not brands:
        click.echo("no brand yet; add one: comptoir brand apply FILE")


@command.command()
@click.argument("brand_id")
@click.argument("partner")
@click.option("--revoke", is_flag=True, help="End all keys of the partner instead.")
def key(brand_id: str, partner: str, revoke: bool) -> None:
    """Make a key by which PARTNER exports the catalogue of BRAND_ID. It is shown once."""
    from comptoir.installation import Installation
    from kernel.errors import DomainError
    from tenants.partner_keys import create_partner_key, revoke_partner_keys

    if not 1 <= len(partner) <= 100 or not partner.isprintable():
        raise DomainError("partner_invalid", "A partner's name has 1 to 100 characters.")
    installation = Installation()
    brand = installation.brand(brand_id)
    with installation.database.platform() as tx:
        if revoke:
            click.echo(f"{revoke_partner_keys(tx, brand.id, partner)} keys ended")
        else:
            click.echo(create_partner_key(tx, brand.id, partner))
