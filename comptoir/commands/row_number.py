"""A number that another command lists: a run, a question, a version."""

from __future__ import annotations

from typing import Any

import click


class RowNumber(click.IntRange):
    """From 1 to 2**62; `listed_by` is the command that shows which there are."""

    name = "number"

    def __init__(self, listed_by: str) -> None:
        super().__init__(1, 2**62)
        self.listed_by = listed_by

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            said = f"{str(value)[:40]!r} is no such number; {self.listed_by} shows them."
            raise click.BadParameter(said, ctx, param) from None
