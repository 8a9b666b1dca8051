"""A later release's migrations: ours, and further steps as a test writes them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic.config import Config

import migrations
from comptoir import database_schema

FOLDER = Path(migrations.__file__).parent


class NewerRelease:
    """Steps that this release does not have; `upgrade` is made by the later one."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder / "migrations"
        self._monkeypatch = monkeypatch
        shutil.copytree(FOLDER, self._folder, ignore=shutil.ignore_patterns("__pycache__"))
        self.head = database_schema.head()

    def step(self, statement: str, serves_from: str | None = None) -> str:
        """Add a step; answers its revision."""
        before, self.head = self.head, f"{int(self.head) + 1:04}"
        says = "" if serves_from is None else f'SERVES_FROM = "{serves_from}"\n'
        (self._folder / "versions" / f"m{self.head}_more.py").write_text(
            f'"""More."""\nfrom alembic import op\nrevision = "{self.head}"\n'
            f'down_revision = "{before}"\n{says}\n'
            f"def upgrade():\n    op.execute({statement!r})\n"
        )
        return self.head

    def upgrade(self, database: database_schema.Database) -> tuple[str | None, str]:
        """What the later release's `comptoir db upgrade` does."""
        config = Config()
        config.set_main_option("script_location", str(self._folder))
        with self._monkeypatch.context() as patched:
            patched.setattr(database_schema, "_config", lambda: config)
            patched.setattr(database_schema, "head", lambda: self.head)
            return database_schema.upgrade(database)
