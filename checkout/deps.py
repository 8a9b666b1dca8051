"""What checkout is given by whoever composes the application; it opens nothing of this itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from checkout.merchant_connectors.port import MerchantConnector
from checkout.payment_attempts import UNLIMITED, PaymentAttempts
from checkout.payment_providers.port import PaymentProvider
from checkout.signed_links import OrderLinks
from kernel.db import Database
from kernel.settings import Settings
from mdm.merchants import Merchant


def utc_now() -> datetime:
    """The moment, with its zone."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Windows:
    """How long things may take.

    A lease outlasts the slowest outside call; a killed process is taken over when it ends. `hold`:
    so long before the provider lets the money go are people told again of what is in doubt.
    `unsaid_hold`: so long is money taken to be held where the provider does not say.
    """

    quote: timedelta = timedelta(minutes=10)
    payment: timedelta = timedelta(minutes=30)
    placing: timedelta = timedelta(minutes=15)
    settling: timedelta = timedelta(minutes=30)
    lease: timedelta = timedelta(seconds=45)
    hold: timedelta = timedelta(hours=24)
    unsaid_hold: timedelta = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class CheckoutDeps:
    """`connectors` opens the system of a merchant; it is asked once for each use and may cache."""

    database: Database
    settings: Settings
    connectors: Callable[[Merchant], MerchantConnector]
    provider: PaymentProvider
    links: OrderLinks
    clock: Callable[[], datetime] = utc_now
    windows: Windows = Windows()
    attempts: PaymentAttempts = UNLIMITED
