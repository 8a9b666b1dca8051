"""When a merchant is paid: once it has accepted an order, or once it has shipped it.

A setting of the merchant's connection, beside its payment account. Money waits for a shipment only
where the merchant's system says that it has shipped.
"""

from __future__ import annotations

from enum import StrEnum

from checkout.merchant_connectors import capabilities_of, connector_names
from kernel.errors import DomainError
from mdm.merchants import Merchant

SETTING = "capture"


class CaptureMoment(StrEnum):
    """What a merchant's charge waits for."""

    ACCEPTANCE = "acceptance"
    SHIPMENT = "shipment"


def capture_moment(merchant: Merchant) -> CaptureMoment:
    """When the merchant is paid. Raises DomainError `capture_unknown` for any other word."""
    word = merchant.connector_settings.get(SETTING, CaptureMoment.ACCEPTANCE.value)
    try:
        return CaptureMoment(word)
    except ValueError:
        raise DomainError(
            "capture_unknown",
            f"{merchant.name} cannot be paid on {word!r}.",
            hint=f"Set {SETTING} to one of {', '.join(CaptureMoment)}.",
        ) from None


def check_capture_moment(merchant: Merchant) -> None:
    """Raises DomainError `capture_unknown`, or `shipment_not_reported` where nobody would say."""
    if capture_moment(merchant) is CaptureMoment.ACCEPTANCE:
        return
    name = merchant.connector
    if name is None or not capabilities_of(name).reports_shipment:
        able = [each for each in connector_names() if capabilities_of(each).reports_shipment]
        raise DomainError(
            "shipment_not_reported",
            f"{merchant.name} cannot be paid on shipment: nobody would say that it has shipped.",
            hint=f"Connectors that say it: {', '.join(able)}. Or set {SETTING} to acceptance.",
        )
