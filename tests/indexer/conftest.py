"""What most tests of the index begin with: the model, and a small catalogue on either engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from kernel.db import Database
from kernel.embedding.encoder import Encoder, load_encoder
from tests.conftest import fresh_database
from tests.indexer.indices_at_hand import ENGINES, PRICES, Catalogue, make_catalogue


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return load_encoder()


@pytest.fixture
def prices() -> Sequence[str]:
    """One product for each; a test file may have others."""
    return PRICES


@pytest.fixture(params=ENGINES)
def catalogue(
    request: pytest.FixtureRequest,
    postgres_url: str,
    encoder: Encoder,
    tmp_path: Path,
    prices: Sequence[str],
) -> Iterator[Catalogue]:
    """A catalogue with those prices, and its live index."""
    database = Database(fresh_database(postgres_url))
    made = make_catalogue(request, request.param, database, encoder, tmp_path / "search")
    made.land(prices)
    made.refresh()
    yield made
    database.close()
