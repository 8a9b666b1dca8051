"""A demonstration that an earlier release loaded starts again after a newer one was fetched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from comptoir.demo.indices import build_again
from comptoir.installation import Installation
from kernel.errors import DomainError
from kernel.settings import Settings
from tests.conftest import fresh_database
from tests.search_api.real_shop import fill


def test_an_index_of_an_earlier_release_is_built_again(
    postgres_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(comptoir_data=tmp_path, database_url=fresh_database(postgres_url))
    loaded = Installation(settings)
    fill(loaded)
    build_again(loaded)
    assert capsys.readouterr().out == ""
    for manifest in tmp_path.rglob("manifest.json"):
        told = json.loads(manifest.read_text("utf-8"))
        manifest.write_text(json.dumps({**told, "format": 1}))
    newer = Installation(settings)
    names = list(newer.brands.brands())
    with pytest.raises(DomainError, match="has format 1"):
        newer.engine.stats(names[0])
    build_again(newer)
    assert "of an earlier release, built again" in capsys.readouterr().out
    assert all(newer.engine.stats(name) is not None for name in names)
