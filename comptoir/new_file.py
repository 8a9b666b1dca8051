"""A file that a command will write: refused before the work, not after it."""

from __future__ import annotations

import os
from pathlib import Path

import click


class NewFile(click.Path):
    """A path in a folder that exists and can be written to; a file that is there is replaced."""

    def __init__(self) -> None:
        super().__init__(path_type=Path, dir_okay=False, writable=True)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Path:
        """The path, or a refusal that names its folder."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not path.parent.is_dir():
            self.fail(f"There is no folder {path.parent}.", param, ctx)
        if not os.access(path.parent, os.W_OK):
            self.fail(f"The folder {path.parent} cannot be written to.", param, ctx)
        return path
