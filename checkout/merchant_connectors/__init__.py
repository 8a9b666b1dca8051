"""Merchants' systems behind one contract: a module here named X is the connector called X.

A connector module offers `connect(settings) -> MerchantConnector`, and is found by its name.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from types import ModuleType
from typing import cast

from checkout.merchant_connectors.port import Capabilities, MerchantConnector
from kernel.errors import NotFound

Connect = Callable[[Mapping[str, str]], MerchantConnector]


def connector_names() -> list[str]:
    """The connectors of this release."""
    return list(_names())


@cache
def _names() -> tuple[str, ...]:
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in modules if name != "port" and not name.startswith("_")))


def open_connector(name: str, settings: Mapping[str, str]) -> MerchantConnector:
    """The connector of a merchant, by the name and settings on record. DomainError if unknown."""
    return cast("Connect", _module(name).connect)(settings)


def capabilities_of(name: str) -> Capabilities:
    """What the systems behind a connector can do. DomainError if unknown."""
    return cast("Capabilities", getattr(_module(name), "CAPABILITIES", Capabilities()))


def capabilities_on_record(name: str | None) -> Capabilities:
    """The same for a merchant on record, whose connector may not exist any more."""
    return capabilities_of(name) if name in _names() and name else Capabilities()


def _module(name: str) -> ModuleType:
    if name not in connector_names():
        raise NotFound(
            "connector_unknown",
            f"There is no merchant connector called {name!r}.",
            hint=f"Known: {', '.join(connector_names())}.",
        )
    return importlib.import_module(f"{__name__}.{name}")
