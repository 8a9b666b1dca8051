"""A real shop in the terminal, to connect to: fills it with sheets, says how, runs until Ctrl-C."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from comptoir.progress import bar
from comptoir.shop_install import end_with_children
from kernel.errors import DomainError

_BATCH = 40


def read_sheets(file: Path) -> list[dict[str, Any]]:
    """The sheets of a JSON Lines file. DomainError naming the first line that is none."""
    sheets = []
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                sheet = json.loads(line)
                sheets.append({**sheet, "sku": str(sheet["sku"]), "title": str(sheet["title"])})
                int(sheet["price_minor"])
            except (ValueError, TypeError, KeyError) as error:
                raise DomainError("sheet_invalid", f"{file}, line {number}: {error}") from error
    return sheets


def show_shop(
    process: subprocess.Popen[bytes],
    load: Callable[[Iterable[Mapping[str, Any]]], str],
    sheets: Path | None,
    settings: Mapping[str, str],
    accounts: Path,
) -> None:
    """Load the sheets, print the merchant's TOML, and end the shop when the terminal says so.

    The shop takes one sheet of a SKU; later ones change it.
    """
    try:
        if sheets is not None:
            rows = read_sheets(sheets)
            with bar("loading the catalogue", len(rows), "articles") as advance:
                for start in range(0, len(rows), _BATCH):
                    batch = rows[start : start + _BATCH]
                    load(batch)
                    advance(len(batch))
        click.echo('[orders]\nexecution = "execute"\nconnector = "' + settings["connector"] + '"')
        click.echo("[orders.settings]")
        for name, value in settings.items():
            if name != "connector":
                click.echo(f'{name} = "{value}"')
        click.echo(f"# our account there: {accounts}\n# Ctrl-C ends the shop")
        process.wait()
    except KeyboardInterrupt:
        click.echo("")
    finally:
        end_with_children(process)
