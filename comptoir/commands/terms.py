"""`comptoir terms`: terms of sale of the platform, of brands and of merchants."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from comptoir.installation import Installation
    from kernel.db import Transaction
    from tenants.terms import Terms

MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def command() -> None:
    """Publish terms of sale, and prove what was in force. See docs/guides/terms.md."""


@command.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--platform", is_flag=True, help="Terms of the platform.")
@click.option("--brand", "brand_id", help="Terms of this brand.")
@click.option("--merchant", "merchant_id", help="Terms of this merchant.")
@click.option("--language", required=True, type=click.Choice(["fr", "de", "en"]))
@click.option("--from", "valid_from", type=MOMENT, help="In force from, in UTC; absent: now.")
def add(
    file: Path,
    platform: bool,
    brand_id: str | None,
    merchant_id: str | None,
    language: str,
    valid_from: datetime | None,
) -> None:
    """Publish FILE (Markdown) as a new version; the text of the newest one changes nothing.

    A version can never be changed or removed. It is deposited in the archive at once.
    """
    from comptoir.installation import Installation
    from mdm.merchants import read_merchant
    from tenants.terms import PLATFORM_ID, Party, publish_terms

    named = [bool(platform), brand_id is not None, merchant_id is not None]
    if sum(named) != 1:
        raise click.UsageError("Say whose terms they are: --platform, --brand or --merchant.")
    installation = Installation()
    party, owner = Party.PLATFORM, PLATFORM_ID
    if brand_id is not None:
        party, owner = Party.BRAND, installation.brand(brand_id).id
    begins = None if valid_from is None else valid_from.replace(tzinfo=UTC)
    with installation.database.platform() as tx:
        if merchant_id is not None:
            party, owner = Party.MERCHANT, read_merchant(tx, merchant_id).id
        body = file.read_text("utf-8")
        terms = publish_terms(tx, owner, language, body, party=party, valid_from=begins)
    _archive(installation)
    with installation.database.platform() as tx:
        _tell(tx, installation, terms)


@command.command("list")
def list_() -> None:
    """List every version of everybody, with its hash and where it is archived."""
    from comptoir.installation import Installation
    from tenants.terms import list_terms

    installation = Installation()
    with installation.database.platform() as tx:
        found = list(list_terms(tx))
        if not found:
            click.echo("no terms on record")
        for terms in found:
            _tell(tx, installation, terms)


@command.command()
@click.argument("sha256")
def show(sha256: str) -> None:
    """Print the text whose hash begins with SHA256, byte for byte as it was published."""
    from comptoir.installation import Installation
    from kernel.errors import NotFound
    from tenants.terms import list_terms

    with Installation().database.platform() as tx:
        found = {each.sha256: each for each in list_terms(tx) if each.sha256.startswith(sha256)}
    if len(found) != 1:
        raise NotFound("terms_missing", f"{len(found)} texts have a hash that begins so.")
    click.echo(next(iter(found.values())).body, nl=False)


@command.command()
@click.argument("moment", type=MOMENT)
@click.option("--language", default="fr", show_default=True)
def at(moment: datetime, language: str) -> None:
    """Prove what was in force at MOMENT (UTC): every text's hash, counted again, and its receipts.

    A text that no longer has its hash, or an archive that lost one, ends this with an error.
    """
    from comptoir.installation import Installation
    from tenants.terms import list_terms, terms_in_force

    installation = Installation()
    when = moment.replace(tzinfo=UTC)
    is_proven, is_any = True, False
    with installation.database.platform() as tx:
        owners = dict.fromkeys((each.party, each.owner_id) for each in list_terms(tx))
        for party, owner_id in owners:
            terms = terms_in_force(tx, party, owner_id, language, at=when)
            if terms is not None:
                is_proven &= _tell(tx, installation, terms)
                is_any = True
    if not is_any:
        click.echo(f"no terms were in force on {when:%Y-%m-%d %H:%M}Z")
    if not is_proven:
        raise click.ClickException("not everything above could be proven")


@command.command()
def archive() -> None:
    """Deposit what the archive does not have yet (the worker does this by itself)."""
    from comptoir.installation import Installation

    click.echo(f"{_archive(Installation())} deposits made")


def _archive(installation: Installation) -> int:
    from checkout.terms_archive import archive_terms

    return archive_terms(installation.database, installation.terms_archive, datetime.now(UTC))


def _tell(tx: Transaction, installation: Installation, terms: Terms) -> bool:
    """One version with its proofs; False where one of them fails."""
    import hashlib

    from checkout.terms_archive import ArchiveFolder
    from tenants.terms import deposits_of

    is_same = hashlib.sha256(terms.body.encode()).hexdigest() == terms.sha256
    click.echo(
        f"{terms.party} {terms.owner_id} ({terms.language}) version {terms.version}, in force from "
        f"{terms.valid_from:%Y-%m-%d %H:%M:%S}Z, published {terms.published_at:%Y-%m-%d %H:%M:%S}Z"
    )
    click.echo(f"    sha256 {terms.sha256} {'holds' if is_same else 'DOES NOT HOLD'}")
    deposits = deposits_of(tx, terms)
    for deposit in deposits:
        held = True
        for place in installation.terms_archive:
            if isinstance(place, ArchiveFolder) and place.name == deposit.place:
                held = place.holds(deposit.receipt)
        is_same &= held
        click.echo(
            f"    {deposit.place} since {deposit.deposited_at:%Y-%m-%d %H:%M:%S}Z: "
            f"{deposit.receipt}{'' if held else ' IS NO LONGER THERE'}"
        )
    if not deposits:
        click.echo("    not archived yet")
    return is_same
