"""`comptoir ranking`: the versioned document by which a brand orders products and offers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from comptoir.commands.row_number import RowNumber

if TYPE_CHECKING:
    from comptoir.installation import Installation
    from comptoir.ranking.evaluation import Material
    from tenants.ranking.versions import Scope

Command = TypeVar("Command", bound=Callable[..., Any])
LANGUAGE = click.Choice(["fr", "de", "en"])
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
VERSION = RowNumber("comptoir ranking history")


@click.group()
def command() -> None:
    """Draft, evaluate, publish and roll back how a brand ranks; see docs/guides/ranking.md.

    A document belongs to the platform (--platform), to a brand, or to a brand in one language.
    """


def scoped(function: Command) -> Command:
    """--brand, --locale and --platform: whose document."""
    for option in (
        click.option("--platform", is_flag=True, help="The document that all brands inherit."),
        click.option("--locale", type=LANGUAGE, help="The brand's document for one language."),
        click.option("--brand", help="Whose document (default: the only brand)."),
    ):
        function = option(function)
    return function


def signed(function: Command) -> Command:
    """--by and --reason: what the trail keeps."""
    for option in (
        click.option("--reason", default="", help="Why; kept in the trail."),
        click.option("--by", "actor", help="Who acts (default: your login name)."),
    ):
        function = option(function)
    return function


@command.command()
@click.option("--brand", help="Default: the only brand.")
@click.option("--locale", type=LANGUAGE, help="The reader's language (default: the brand's).")
@click.option("--document", is_flag=True, help="The brand's own document, to start a draft from.")
@click.option("--json", "as_json", is_flag=True)
def show(brand: str | None, locale: str | None, document: bool, as_json: bool) -> None:
    """Show what is in force, and for each value from where."""
    from comptoir.installation import Installation
    from comptoir.ranking.showing import effective, lines

    asked = Installation().brand(brand)
    if document:
        _write(_own_document(asked.id, locale))
        return
    language = locale or asked.languages[0]
    shown = effective(asked, language)
    if as_json:
        _write(shown)
    else:
        click.echo("\n".join(lines(shown)))


@command.command()
@click.argument("file", type=FILE)
@scoped
@signed
def draft(
    file: Path,
    brand: str | None,
    locale: str | None,
    platform: bool,
    actor: str | None,
    reason: str,
) -> None:
    """Keep FILE (TOML, or JSON by its ending) as a new version that is not in force."""
    from comptoir.installation import Installation
    from tenants.ranking.document import read_ranking_file
    from tenants.ranking.versions import save_draft

    installation = Installation()
    document = read_ranking_file(file)
    scope = _scope(installation, brand, locale, platform)
    with installation.database.platform() as tx:
        version = save_draft(tx, scope, document, _who(actor), reason)
    click.echo(f"version {version.version} is a draft for {scope}")
    click.echo(f"try it: comptoir ranking evaluate {version.version}")


@command.command()
@click.argument("version", type=VERSION)
@click.option("--against", type=VERSION, help="Another version (default: what is in force).")
def diff(version: int, against: int | None) -> None:
    """Show how the document of VERSION differs, line by line."""
    from comptoir.installation import Installation
    from comptoir.ranking.showing import document_diff
    from tenants.ranking.versions import published, read_version

    with Installation().database.platform() as tx:
        mine = read_version(tx, version)
        other = read_version(tx, against) if against is not None else published(tx, mine.scope)
    found = document_diff(other, mine)
    click.echo("\n".join(found) if found else "no difference")


def tried(function: Command) -> Command:
    """--judgements and --queries: material beside what is on record."""
    for option in (
        click.option("--queries", type=FILE, help="More queries, one a line."),
        click.option("--judgements", type=FILE, help="More judgements: query,docid,rating."),
        click.option("--language", type=LANGUAGE, help="Of these files (default: the brand's)."),
    ):
        function = option(function)
    return function


@command.command()
@click.argument("version", type=VERSION)
@click.option("--brand", help="For a version of the platform: this brand alone.")
@tried
@click.option("--by", "actor", help="Who acts (default: your login name).")
@click.option("--json", "as_json", is_flag=True)
def evaluate(
    version: int,
    brand: str | None,
    language: str | None,
    judgements: Path | None,
    queries: Path | None,
    actor: str | None,
    as_json: bool,
) -> None:
    """Try VERSION on judged and frequent queries against what is in force."""
    from comptoir.installation import Installation
    from comptoir.progress import bar
    from comptoir.ranking.publishing import evaluate as try_version
    from comptoir.ranking.showing import evaluation_lines

    installation = Installation()
    more = _material(installation, version, language, judgements, queries)
    done = try_version(
        installation, version, _who(actor), brand_id=brand, more=more, progress=bar
    ).as_json()
    if as_json:
        _write(done)
    else:
        click.echo("\n".join(evaluation_lines(done)))


@command.command()
@click.argument("version", type=VERSION)
@tried
@click.option("--override", is_flag=True, help="Publish though judged queries become worse.")
@signed
def publish(
    version: int,
    language: str | None,
    judgements: Path | None,
    queries: Path | None,
    override: bool,
    actor: str | None,
    reason: str,
) -> None:
    """Put VERSION in force, unless it makes too many judged queries worse."""
    from comptoir.installation import Installation
    from comptoir.progress import bar
    from comptoir.ranking.publishing import evaluate as try_version
    from comptoir.ranking.publishing import publish_version
    from comptoir.ranking.showing import evaluation_lines
    from tenants.registry import REFRESH_AFTER_S

    installation, who = Installation(), _who(actor)
    more = _material(installation, version, language, judgements, queries)
    done = try_version(installation, version, who, more=more, progress=bar)
    click.echo("\n".join(evaluation_lines(done.as_json())))
    publish_version(installation, done, who, reason=reason, override=override)
    click.echo(
        f"version {version} is in force for {done.version.scope}; "
        f"every shop process has it within {REFRESH_AFTER_S:.0f} s"
    )


@command.command()
@scoped
@click.option("--to", type=VERSION, help="A version that was in force (default: the one before).")
@signed
def rollback(
    brand: str | None,
    locale: str | None,
    platform: bool,
    to: int | None,
    actor: str | None,
    reason: str,
) -> None:
    """Go back to the version that was in force before. Takes one command and no evaluation."""
    from comptoir.installation import Installation
    from tenants.ranking.versions import roll_back

    installation = Installation()
    scope = _scope(installation, brand, locale, platform)
    with installation.database.platform() as tx:
        version = roll_back(tx, scope, _who(actor), reason, to)
    if version is None:
        click.echo(f"nothing is published for {scope} any more: what it inherits is in force")
    else:
        click.echo(f"version {version.version} is in force for {scope} again")


@command.command()
@scoped
@click.option("--limit", type=click.IntRange(1, 10_000), default=30, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def history(
    brand: str | None, locale: str | None, platform: bool, limit: int, as_json: bool
) -> None:
    """Show who did what, when and why, newest first."""
    from comptoir.installation import Installation
    from comptoir.ranking.showing import recorded_json, recorded_line
    from tenants.ranking.versions import history as trail_of

    installation = Installation()
    scope = _scope(installation, brand, locale, platform)
    with installation.database.platform() as tx:
        trail = trail_of(tx, scope, limit)
    if as_json:
        _write([recorded_json(each) for each in trail])
    else:
        click.echo("\n".join(map(recorded_line, trail)) or f"nothing was ever done for {scope}")


@command.command()
@click.option("--brand", help="Default: the only brand.")
@click.option("--locale", type=LANGUAGE, help="The reader's language (default: the brand's).")
@click.option("--json", "as_json", is_flag=True)
def rules(brand: str | None, locale: str | None, as_json: bool) -> None:
    """List rules by precedence; name those expired, unused, shadowed or conflicting."""
    from comptoir.installation import Installation
    from comptoir.ranking.showing import rule_lines, rules_json

    installation = Installation()
    asked = installation.brand(brand)
    found = rules_json(installation.database, asked, locale or asked.languages[0])
    if as_json:
        _write(found)
    else:
        click.echo("\n".join(rule_lines(found)) or "there are no rules")


@command.command()
@click.argument("file", type=FILE)
@click.option("--brand", help="Default: the only brand.")
@click.option("--locale", type=LANGUAGE, required=True, help="The language of the queries.")
@click.option("--by", "actor", help="Who judged (default: your login name).")
@click.option("--replace", "anew", is_flag=True, help="Forget the brand's earlier judgements.")
def judge(file: Path, brand: str | None, locale: str, actor: str | None, anew: bool) -> None:
    """Keep the judgements of FILE (query,docid,rating from 0 to 3) for evaluations."""
    from comptoir.installation import Installation
    from comptoir.relevance.judgements import read_judgements
    from tenants.judgements import forget_judgements, keep_judgements

    installation = Installation()
    asked = installation.brand(brand)
    ratings = read_judgements(file)
    with installation.database.platform() as tx:
        if anew:
            forget_judgements(tx, asked.id, locale)
        kept = keep_judgements(tx, asked.id, locale, ratings, _who(actor))
    click.echo(f"{kept} judgements of {len(ratings)} queries are kept for {asked.id} {locale}")


@command.command()
@click.option("--operator", required=True, help="Whom the key speaks for in the trail.")
@click.option("--brand", help="The only brand it may act for (default: all of them).")
@click.option("--revoke", is_flag=True, help="End all keys of the operator instead.")
def key(operator: str, brand: str | None, revoke: bool) -> None:
    """Make an operator's key to the back office: its pages and its APIs. It is shown once."""
    from comptoir.installation import Installation
    from tenants.operator_keys import create_operator_key, revoke_operator_keys

    installation = Installation()
    if brand is not None:
        installation.brand(brand)
    with installation.database.platform() as tx:
        if revoke:
            click.echo(f"{revoke_operator_keys(tx, operator)} keys ended")
        else:
            click.echo(create_operator_key(tx, operator, brand))


def _scope(
    installation: Installation, brand: str | None, locale: str | None, platform: bool
) -> Scope:
    from kernel.errors import DomainError
    from tenants.ranking.versions import Scope

    if platform:
        if brand is not None or locale is not None:
            raise DomainError("ranking_scope", "--platform stands alone.")
        return Scope()
    known = installation.brands.brands()
    if brand is None and len(known) > 1:
        raise DomainError("ranking_scope", "Say which brand.", hint=f"Known: {', '.join(known)}.")
    asked = installation.brand(brand)
    if locale is not None and locale not in asked.languages:
        raise DomainError("ranking_scope", f"{asked.id} does not speak {locale}.")
    return Scope(asked.id, locale)


def _own_document(brand_id: str, locale: str | None) -> dict[str, Any]:
    """What the scope itself states: the published version, else the brand's file."""
    from comptoir.installation import Installation
    from tenants.ranking.versions import Scope, published

    installation = Installation()
    with installation.database.platform() as tx:
        version = published(tx, Scope(brand_id, locale))
    if version is not None:
        return version.document.as_json()
    return {} if locale else installation.brand(brand_id).ranking.as_json()


def _material(
    installation: Installation,
    version: int,
    language: str | None,
    judgements: Path | None,
    queries: Path | None,
) -> dict[str, Material]:
    """Files that were given, under the language they are in."""
    if judgements is None and queries is None:
        return {}
    from comptoir.ranking.evaluation import Material
    from comptoir.ranking.showing import read_queries
    from comptoir.relevance.judgements import read_judgements
    from tenants.ranking.versions import read_version

    with installation.database.platform() as tx:
        scope = read_version(tx, version).scope
    asked = language or scope.locale or installation.brand(scope.brand_id).languages[0]
    return {
        asked: Material(
            judged=read_judgements(judgements) if judgements else {},
            others=dict.fromkeys(read_queries(queries), 1) if queries else {},
        )
    }


def _who(actor: str | None) -> str:
    import getpass

    return actor or getpass.getuser()


def _write(value: Any) -> None:
    import json

    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))
