"""How this installation reaches each merchant's own system: connector, address, account.

The account comes from `comptoir.merchant_accounts`, the rest from the merchant's record.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from checkout.merchant_connectors import open_connector
from checkout.merchant_connectors.port import MerchantConnector
from checkout.platform_profile import connector_settings
from comptoir.merchant_accounts import read_account
from kernel.errors import DomainError
from kernel.settings import Settings
from mdm.merchants import Merchant


def connections(settings: Settings) -> Callable[[Merchant], MerchantConnector]:
    """A function that opens the connector of a merchant, once for the life of the process."""
    opened: dict[tuple[str, tuple[tuple[str, str], ...]], MerchantConnector] = {}
    lock = Lock()

    def connector(merchant: Merchant) -> MerchantConnector:
        if merchant.connector is None:
            raise DomainError(
                "merchant_not_connected",
                f"{merchant.name} takes no orders through this shop.",
                hint="Choose an offer that can be bought here, or buy at the merchant's own shop.",
                status=409,
            )
        known = {
            **connector_settings(settings, merchant.id),
            **merchant.connector_settings,
            **read_account(settings.data, merchant.id),
        }
        key = (merchant.connector, tuple(sorted(known.items())))
        with lock:
            if key not in opened:
                opened[key] = open_connector(merchant.connector, known)
            return opened[key]

    return connector
