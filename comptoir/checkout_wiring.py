"""What checkout is given here: the database, merchants' systems, the payment provider."""

from __future__ import annotations

from checkout.deps import CheckoutDeps
from checkout.payment_attempts import PaymentAttempts, purchase_memory
from checkout.payment_providers import ProviderSettings, open_provider
from checkout.signed_links import OrderLinks
from comptoir.merchant_connections import connections
from kernel.db import Database
from kernel.errors import DomainError
from kernel.settings import Settings
from tenants.call_limits import CallLimits


def open_checkout(
    settings: Settings, database: Database, links: OrderLinks, limits: CallLimits
) -> CheckoutDeps:
    """The parts of the purchase.

    DomainError `payment_not_configured` where the payment provider's keys are not set.
    """
    if settings.payment_api_key is None or settings.payment_webhook_secret is None:
        raise DomainError(
            "payment_not_configured",
            "Nothing can be bought here: the payment provider is not configured.",
            hint="Set PAYMENT_URL, PAYMENT_API_KEY and PAYMENT_WEBHOOK_SECRET.",
            status=503,
        )
    provider = open_provider(
        settings.payment_provider,
        ProviderSettings(
            settings.payment_url,
            settings.payment_api_key.get_secret_value(),
            settings.payment_webhook_secret.get_secret_value(),
        ),
    )
    return CheckoutDeps(
        database=database,
        settings=settings,
        connectors=connections(settings),
        provider=provider,
        links=links,
        attempts=PaymentAttempts(
            limits,
            purchases=settings.limit_purchases,
            unpaid=settings.limit_unpaid_purchases,
            memory=purchase_memory(limits.cache),
        ),
    )
