"""The command line. Commands are imported when they are called, so that each one starts at once."""

from __future__ import annotations

import importlib
import os
import sys

import click

from comptoir.commands.next_step import next_step
from kernel.errors import DomainError

# command -> module under comptoir.commands, with the line that `comptoir --help` shows
COMMANDS = {
    "demo": "run the demonstration market: brands, merchants, shop",
    "serve": "serve the shop, the back office or the worker",
    "ingest": "load a merchant's feed file",
    "crawl": "fetch or crawl a merchant's declared source",
    "merchant": "add merchants and their keys",
    "quarantine": "list what was refused, and why",
    "run": "show what came in, release or discard what was held back",
    "index": "refresh, rebuild or compare the search index",
    "search": "search as a shopper of a brand",
    "relevance": "measure the relevance of search on judged queries",
    "model": "show, measure, use and train the embedding model",
    "ranking": "draft, evaluate, publish and roll back how a brand ranks",
    "match": "measure the matcher, explain what it decides",
    "product": "show golden records, who says what in them, whom to believe",
    "review": "answer what the matcher asks; merge, split, move, undo",
    "taxonomy": "place merchants' categories in Google's product taxonomy",
    "argus": "value a product, new and by grade",
    "offer": "show offers, their product and their prices over time",
    "order": "show orders and bring them forward",
    "accounts": "commission, closing of months, exports for accountants",
    "customers": "show, export and erase what is kept of a person",
    "events": "tell other systems of orders, again if need be",
    "brand": "apply and list brands",
    "audit": "prove that the record of operators' acts is as it was written",
    "terms": "publish terms of sale, prove what was in force",
    "jobs": "show work that was given up on, have it tried again",
    "db": "bring the database to this release",
    "doctor": "tell what is configured, reachable and missing",
}


class _Lazy(click.Group):
    """A group that knows the names of its commands and imports only the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"comptoir.commands.{cmd_name}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="comptoir")
def cli() -> None:
    """Comptoir: a white-label, multi-merchant, transactional price comparator.

    Settings come from the environment (see docs/settings.md); without any, everything runs
    embedded in the data folder COMPTOIR_DATA (default: .comptoir here).
    """


def main() -> None:
    """Entry point: a refusal is two lines on standard error, never a traceback."""
    try:
        cli()
    except DomainError as error:
        click.secho(f"comptoir: {error.message}", fg="red", err=True)
        if hint := next_step(error):
            click.echo(f"          {hint}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        # The reader of our output (`head`) has gone: nothing to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        from kernel.db import away, refused_writing

        if refused_writing(error):
            click.secho("comptoir: READ_ONLY is set: nothing is changed.", fg="red", err=True)
            sys.exit(2)
        said = away(error)
        if said is None:
            raise
        click.secho(f"comptoir: The database cannot be reached: {said}", fg="red", err=True)
        click.echo(
            "          Check DATABASE_URL; comptoir doctor says what is reachable.", err=True
        )
        sys.exit(2)


if __name__ == "__main__":
    main()
