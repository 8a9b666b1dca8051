"""What the contract suites run on: each search engine, and peers as real processes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from indexer.elasticsearch import ElasticsearchEngine
from indexer.embedded import EmbeddedEngine
from indexer.engine import Engine
from tests.contracts.search_engines import new_brand
from tests.peers import Shop, Simulator, running_shop, running_simulator
from tests.protocols.merchant_server import acp_shop as acp_shop
from tests.protocols.merchant_server import ucp_shop as ucp_shop
from tests.shops import RealShop, running_medusa, running_vendure


@pytest.fixture(scope="session")
def oscar_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A real django-oscar shop with an empty catalogue."""
    with running_shop(tmp_path_factory.mktemp("oscar")) as shop:
        yield shop


@pytest.fixture(scope="module")
def vendure_shop() -> Iterator[RealShop]:
    """A real Vendure shop with an empty catalogue."""
    with running_vendure() as shop:
        yield shop


@pytest.fixture(scope="module")
def medusa_shop() -> Iterator[RealShop]:
    """A real Medusa shop with an empty catalogue; left out where it is not installed."""
    with running_medusa() as shop:
        yield shop


@pytest.fixture(scope="module")
def payment_simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """The payment simulator as a process of its own; notices of other files do not wait in it."""
    with running_simulator(tmp_path_factory.mktemp("payments")) as simulator:
        yield simulator


@pytest.fixture(
    scope="module",
    params=["embedded", pytest.param("elasticsearch", marks=pytest.mark.elasticsearch)],
)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """Each search engine in turn."""
    if request.param == "embedded":
        yield EmbeddedEngine(tmp_path_factory.mktemp("search"))
        return
    url = request.getfixturevalue("elasticsearch_url")
    opened = ElasticsearchEngine(url, prefix=f"test-{uuid.uuid4().hex[:8]}-")
    yield opened
    opened.close()


@pytest.fixture
def brand() -> str:
    """A brand of this test alone."""
    return new_brand()
