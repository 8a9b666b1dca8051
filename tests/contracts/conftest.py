"""Peers that the contract suites talk to: started once, real processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peers import Shop, Simulator, running_shop, running_simulator


@pytest.fixture(scope="session")
def oscar_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A real django-oscar shop with an empty catalogue."""
    with running_shop(tmp_path_factory.mktemp("oscar")) as shop:
        yield shop


@pytest.fixture(scope="session")
def payment_simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """The payment simulator as a process of its own."""
    with running_simulator(tmp_path_factory.mktemp("payments")) as simulator:
        yield simulator
