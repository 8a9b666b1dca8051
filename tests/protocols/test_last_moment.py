"""What goes wrong at the completion, in either protocol: no order is made twice, none for more."""

from __future__ import annotations

import pytest

from checkout.outcomes import OutcomeUnknown, Refused
from tests.protocols.merchant_server import ProtocolShop
from tests.protocols.orders import made_of, sell


@pytest.fixture(params=["ucp_shop", "acp_shop"])
def shop(request: pytest.FixtureRequest) -> ProtocolShop:
    """The same merchant, by one protocol and by the other."""
    found: ProtocolShop = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize("kind", ["down", "answer_lost"])
def test_a_completion_without_an_answer_is_asked_after_and_made_once(
    shop: ProtocolShop, kind: str
) -> None:
    connector, sold = shop.connector(), sell(shop)
    handle = connector.prepare(sold.order)
    shop.fault("complete", kind)
    with pytest.raises(OutcomeUnknown):
        connector.place(sold.order, handle)
    found = connector.find(sold.order.reference, handle)
    assert (found is None) == (kind == "down")
    placed = connector.place(sold.order, handle)
    assert found in (None, placed)
    assert made_of(shop, handle) == [placed.merchant_order_number]


@pytest.mark.parametrize(
    ("fault", "code"), [("sold_out", "out_of_stock"), ("price_moved", "total_changed")]
)
def test_what_changes_at_the_last_moment_is_refused(
    shop: ProtocolShop, fault: str, code: str
) -> None:
    connector, sold = shop.connector(), sell(shop)
    handle = connector.prepare(sold.order)
    shop.fault("complete", fault)
    with pytest.raises(Refused) as refusal:
        connector.place(sold.order, handle)
    assert refusal.value.code == code
    assert made_of(shop, handle) == []
