"""Payment providers behind one contract: a module here named X is the provider called X.

A provider module offers `connect(settings) -> PaymentProvider` and `DISPLAY_NAME`, the name that
shoppers know, and is found by its own name. Where its hosted page does not lie below the API's
address it names the page's origins in `PAGE_ORIGINS`, or by `origins_at(url)`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import cast

from checkout.payment_providers.port import PaymentProvider
from kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """Where the provider is, our key there, and the secret that signs its notices."""

    url: str
    api_key: str
    webhook_secret: str


Connect = Callable[[ProviderSettings], PaymentProvider]


def provider_names() -> list[str]:
    """The providers of this release."""
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name for name in modules if name != "port" and not name.startswith("_"))


def open_provider(name: str, settings: ProviderSettings) -> PaymentProvider:
    """The provider by its name. DomainError if unknown."""
    return cast("Connect", _module(name).connect)(settings)


def display_name(name: str) -> str:
    """What shoppers know the provider as. DomainError if unknown."""
    return str(_module(name).DISPLAY_NAME)


def page_origins(name: str, url: str) -> tuple[str, ...]:
    """Origins of the hosted page, which forms of ours may lead to. DomainError if unknown."""
    module = _module(name)
    found: Callable[[str], tuple[str, ...]] | None = getattr(module, "origins_at", None)
    return (url, *(found(url) if found is not None else getattr(module, "PAGE_ORIGINS", ())))


def _module(name: str) -> ModuleType:
    if name not in provider_names():
        raise NotFound(
            "payment_provider_unknown",
            f"There is no payment provider called {name!r}.",
            hint=f"Known: {', '.join(provider_names())}.",
        )
    return importlib.import_module(f"{__name__}.{name}")
