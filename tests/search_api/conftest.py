"""One real shop for the tests of the API: started once, read by all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.search_api.real_shop import RealShop, real_shop


@pytest.fixture(scope="session")
def shop(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealShop]:
    """Two brands on the embedded engine; an unknown host is the first brand's, as in the demo."""
    folder = tmp_path_factory.mktemp("shop")
    with real_shop(postgres_url, folder, brand_by_query=True) as opened:
        yield opened
