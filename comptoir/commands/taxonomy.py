"""`comptoir taxonomy`: where merchants' categories belong in Google's product taxonomy."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def command() -> None:
    """Place merchants' categories in Google's product taxonomy; see docs/guides/master-data.md."""


@command.command("map")
def map_() -> None:
    """Work out where categories belong that no name places; what is sure takes effect."""
    from comptoir.installation import Installation
    from comptoir.master_data.categories import map_now
    from comptoir.progress import bar

    installation = Installation()
    with bar("mapping categories", None):
        done = map_now(installation.database, installation.encoder)
    click.echo(
        f"{done.found} categories worked out, {done.applied} of them sure; "
        f"{done.offers} offers are placed anew"
    )


@command.command()
@click.option("--limit", default=50, show_default=True, help="How many, the largest first.")
def unmapped(limit: int) -> None:
    """List the categories that are not sure, those of most offers first, with what is proposed."""
    from comptoir.installation import Installation
    from comptoir.master_data.categories import name_of
    from mdm.taxonomy.mapping import waiting_categories

    with Installation().database.platform() as tx:
        waiting = waiting_categories(tx, limit)
    for each in waiting:
        click.echo(f"{each.offers:7} offers  {each.source_id}  {each.text!r}")
        if each.proposed is not None:
            click.echo(
                f"{'':15} perhaps {each.proposed.google_id} {name_of(each.proposed.google_id)}, "
                f"sure to {each.proposed.percent} % ({each.proposed.by})"
            )
    if not waiting:
        click.echo("Every category is placed.")


@command.command()
@click.argument("source_id")
@click.argument("text")
@click.argument("google_id", type=int, required=False)
@click.option("--none", "nothing", is_flag=True, help="It belongs to nothing of the taxonomy.")
@click.option("--forget", is_flag=True, help="Take back what was said.")
@click.option("--by", "actor", help="Who acts (default: your login name).")
@click.option("--reason", default="", help="Why; kept in the record.")
def correct(
    source_id: str, text: str, google_id: int | None, nothing: bool, forget: bool,
    actor: str | None, reason: str,
) -> None:  # fmt: skip
    """Say that the category TEXT of merchant SOURCE_ID is GOOGLE_ID; all its offers follow."""
    import getpass
    from datetime import UTC, datetime

    from comptoir.installation import Installation
    from mdm.curation import Signature
    from mdm.taxonomy import corrections

    if (google_id is not None) + nothing + forget != 1:
        raise click.UsageError("Give a GOOGLE_ID, or --none, or --forget.")
    signed = Signature(actor or getpass.getuser(), reason, datetime.now(UTC))
    with Installation().database.platform() as tx:
        if forget:
            count = corrections.take_back(tx, source_id, text, signed)
        else:
            count = corrections.correct(tx, source_id, text, google_id, signed)
    click.echo(f"{count} offers are placed anew by the worker")


@command.command()
@click.argument("words")
def find(words: str) -> None:
    """Find ids by WORDS: a category's name, a merchant's path, or what a thing is called."""
    from comptoir.installation import Installation
    from comptoir.master_data.categories import found_by

    for google_id, label, cosine in found_by(words, Installation().encoder):
        click.echo(f"{google_id:7}  {cosine:.2f}  {label}")


@command.command()
@click.argument("language")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def names(language: str, file: Path) -> None:
    """Load Google's names of one LANGUAGE from FILE, the text file with ids that Google publishes.

    They are used to recognise merchants' categories, and are never shown.
    """
    from comptoir.installation import Installation
    from mdm.taxonomy.memory import load_names

    with (
        file.open(encoding="utf-8", errors="replace") as lines,
        Installation().database.platform() as tx,
    ):
        count = load_names(tx, language, lines)
    click.echo(f"{count} names")


@command.command()
@click.option("--limit", default=50, show_default=True)
def history(limit: int) -> None:
    """List who corrected what, newest first."""
    from comptoir.installation import Installation
    from mdm.curation import acts_on

    with Installation().database.platform() as tx:
        acts = acts_on(tx, "category_mapping", limit)
    for act in acts:
        said = act.after["google_id"] if act.after else "taken back"
        click.echo(f"{act.at:%Y-%m-%d %H:%M}  {act.who:16} {act.key}: {said}  {act.why}")
