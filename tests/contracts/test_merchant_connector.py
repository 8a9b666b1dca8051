"""What every merchant connector must do, run against the merchant's real system."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from checkout.merchant_connectors import capabilities_of, connector_names, open_connector
from checkout.merchant_connectors.port import (
    Buyer,
    Destination,
    LineStatus,
    OrderStatus,
    QuoteLine,
)
from checkout.outcomes import NoAnswer, OutcomeUnknown, Refused
from kernel.errors import NotFound
from kernel.money import Money
from tests.contracts.real_merchants import PARIS, Merchant, eur
from tests.contracts.real_merchants import merchant as merchant
from tests.peers import FaultyWire, free_port, wait_for
from tests.shops import MedusaShop, VendureShop


def test_quote_says_price_stock_delivery_and_total(merchant: Merchant) -> None:
    sku = merchant.article(price=6995, stock=10, delivery={"FR": 490, "DE": 690})
    quote = merchant.connector.quote([QuoteLine(sku, 2)], PARIS)
    line = quote.lines[0]
    assert (line.status, line.unit_price) == (LineStatus.OK, eur(6995))
    assert line.available == merchant.counted(10)
    option = quote.delivery[0]
    assert (option.code, option.price, option.days_min, option.days_max) == (
        "standard",
        eur(490),
        2,
        4,
    )
    assert quote.goods_total == eur(13990)
    assert quote.total("standard") == eur(14480)
    assert quote.total("by-balloon") is None
    assert quote.is_orderable


def test_quote_counts_only_the_lines_that_can_be_bought(merchant: Merchant) -> None:
    plenty, scarce = merchant.article(price=1000), merchant.article(price=2000, stock=1)
    quote = merchant.connector.quote(
        [QuoteLine(plenty, 1), QuoteLine(scarce, 2), QuoteLine("NO-SUCH", 1)], PARIS
    )
    assert [line.status for line in quote.lines] == [
        LineStatus.OK,
        LineStatus.OUT_OF_STOCK,
        LineStatus.UNKNOWN_SKU,
    ]
    assert quote.lines[1].available == merchant.counted(1)
    assert quote.lines[2].unit_price is None
    assert quote.goods_total == eur(1000)
    assert not quote.is_orderable


def test_quote_sees_a_change_at_once(merchant: Merchant) -> None:
    sku = merchant.article(price=5000, stock=3)
    merchant.shop.set_article(sku, price=4500, stock=0)
    line = merchant.connector.quote([QuoteLine(sku, 1)], PARIS).lines[0]
    assert (line.unit_price, line.available, line.status) == (
        eur(4500),
        merchant.counted(0),
        LineStatus.OUT_OF_STOCK,
    )


@pytest.mark.parametrize("country", ["DE", "US", "fr"])
def test_where_nothing_is_delivered_there_is_no_delivery(merchant: Merchant, country: str) -> None:
    sku = merchant.article(delivery={"FR": 490})
    quote = merchant.connector.quote([QuoteLine(sku, 1)], Destination(country, "10115", "Berlin"))
    assert quote.delivery == ()
    assert quote.lines[0].status is LineStatus.OK
    assert not quote.is_orderable


def test_preparing_makes_no_order(merchant: Merchant) -> None:
    sku = merchant.article(stock=4)
    order = merchant.order(sku, 1, 6995 + 490)
    handle = merchant.connector.prepare(order)
    assert merchant.connector.find(order.reference, handle) is None
    merchant.check_stock(sku, 4)


def test_placing_gives_the_merchants_number_and_takes_the_stock(merchant: Merchant) -> None:
    sku = merchant.article(price=6995, stock=10)
    order = merchant.order(sku, 2, 13990 + 490)
    handle = merchant.connector.prepare(order)
    placed = merchant.connector.place(order, handle)
    assert placed.merchant_order_number
    assert placed.total == order.expected_total
    assert placed.reference == order.reference
    assert placed.status is OrderStatus.PLACED
    assert placed.placed_at is None or placed.placed_at.tzinfo is not None
    assert merchant.connector.find(order.reference, handle) == placed
    if capabilities_of(merchant.name).finds_by_number:
        assert merchant.connector.status(placed.merchant_order_number) == placed
    merchant.check_stock(sku, 8)


def test_placing_again_gives_the_same_order(merchant: Merchant) -> None:
    sku = merchant.article(stock=10)
    order = merchant.order(sku, 1, 6995 + 490)
    handle = merchant.connector.prepare(order)
    first = merchant.connector.place(order, handle)
    # As after a restart: nothing is left but what was recorded.
    later = merchant.open()
    assert later.place(order, handle) == first
    merchant.check_stock(sku, 9)


def test_a_handle_outlives_the_process_that_made_it(merchant: Merchant) -> None:
    order = merchant.order(merchant.article(), 1, 6995 + 490)
    handle = merchant.connector.prepare(order)
    later = merchant.open()
    assert later.find(order.reference, handle) is None
    assert later.place(order, handle).reference == order.reference


def test_placing_twice_at_once_makes_one_order(merchant: Merchant) -> None:
    sku = merchant.article(stock=10)
    order = merchant.order(sku, 1, 6995 + 490)
    handle = merchant.connector.prepare(order)

    def place(_try: int) -> str:
        try:
            return merchant.connector.place(order, handle).merchant_order_number
        except OutcomeUnknown:
            # None is final only while no other try is under way.
            wait_for(lambda: merchant.connector.find(order.reference, handle) is not None, 60)
            return merchant.connector.place(order, handle).merchant_order_number

    with ThreadPoolExecutor(4) as pool:
        numbers = set(pool.map(place, range(4)))
    assert len(numbers) == 1
    merchant.check_stock(sku, 9)


def test_an_order_of_several_articles_is_one_order(merchant: Merchant) -> None:
    toaster, lamp = merchant.article(price=6995), merchant.article(price=1250)
    lines = (QuoteLine(toaster, 1), QuoteLine(lamp, 3))
    quote = merchant.connector.quote(lines, PARIS)
    assert [line.unit_price for line in quote.lines] == [eur(6995), eur(1250)]
    assert quote.goods_total == eur(10745)
    order = replace(merchant.order(toaster, 1, 10745 + 490), lines=lines)
    placed = merchant.connector.place(order, merchant.connector.prepare(order))
    assert placed.total == eur(11235)
    merchant.check_stock(toaster, 9)
    merchant.check_stock(lamp, 7)


def test_another_total_is_refused_and_makes_no_order(merchant: Merchant) -> None:
    sku = merchant.article(price=6995, stock=10)
    order = merchant.order(sku, 1, 6995 + 490)
    handle = merchant.connector.prepare(order)
    merchant.shop.set_article(sku, price=7495, stock=10)
    with pytest.raises(Refused) as refusal:
        merchant.connector.place(order, handle)
    assert refusal.value.code == "total_changed"
    assert merchant.connector.find(order.reference, handle) is None
    merchant.check_stock(sku, 10)


def test_preparing_refuses_what_cannot_be_ordered(merchant: Merchant) -> None:
    sku = merchant.article(price=6995, stock=2, delivery={"FR": 490})
    order = merchant.order(sku, 1, 6995 + 490)
    german = replace(order.address, country="DE")
    wrong = {
        "total_changed": replace(order, expected_total=eur(6995)),
        "out_of_stock": replace(order, lines=(QuoteLine(sku, 3),)),
        "unknown_sku": replace(order, lines=(QuoteLine("NO-SUCH", 1),)),
        "not_delivered": replace(order, address=german),
        "address_refused": replace(order, address=replace(order.address, postcode="x" * 300)),
        "lines_invalid": replace(order, lines=(QuoteLine(sku, 0),)),
        "too_many": replace(order, lines=()),
    }
    refusals = {}
    for code, request in wrong.items():
        with pytest.raises(Refused) as refusal:
            merchant.connector.prepare(request)
        refusals[code] = refusal.value.code
    assert refusals == {code: code for code in wrong}


def test_cancelling_gives_the_stock_back_once(merchant: Merchant) -> None:
    merchant.needs_cancelling()
    sku = merchant.article(stock=5)
    order = merchant.order(sku, 2, 13990 + 490)
    placed = merchant.connector.place(order, merchant.connector.prepare(order))
    merchant.check_stock(sku, 3)
    for _again in range(2):
        cancelled = merchant.connector.cancel(placed.merchant_order_number, "the buyer withdrew")
        assert cancelled.status is OrderStatus.CANCELLED
        merchant.check_stock(sku, 5)
    assert merchant.connector.status(placed.merchant_order_number).status is OrderStatus.CANCELLED


def test_the_last_item_is_sold_once_or_one_sale_is_taken_back(merchant: Merchant) -> None:
    """Oscar looks at stock when the basket is filled, not when it is paid: it sells twice."""
    sku = merchant.article(stock=1)
    first, second = (merchant.order(sku, 1, 6995 + 490) for _ in range(2))
    handles = [merchant.connector.prepare(order) for order in (first, second)]
    placed = merchant.connector.place(first, handles[0])
    if merchant.shop.sells_the_last_item_twice:
        again = merchant.connector.place(second, handles[1])
        assert again.merchant_order_number != placed.merchant_order_number
        merchant.check_stock(sku, 0)
        merchant.connector.cancel(again.merchant_order_number, "sold twice")
    else:
        with pytest.raises(Refused) as refusal:
            merchant.connector.place(second, handles[1])
        assert refusal.value.code == "out_of_stock"
        assert merchant.connector.find(second.reference, handles[1]) is None
        merchant.check_stock(sku, 0)
    assert merchant.connector.find(first.reference, handles[0]) == placed


def test_a_lost_answer_is_unknown_and_then_found(merchant: Merchant) -> None:
    sku = merchant.article(stock=3)
    order = merchant.order(sku, 1, 6995 + 490)
    wire = FaultyWire(merchant.shop.url)
    connector = merchant.open(url=wire.url)
    try:
        handle = connector.prepare(order)
        wire.lose = merchant.shop.placing
        with pytest.raises(OutcomeUnknown):
            connector.place(order, handle)
        assert wire.lost == 1
        wire.lose = None
        found = connector.find(order.reference, handle)
        assert found is not None
        assert connector.place(order, handle) == found
    finally:
        wire.close()
    merchant.check_stock(sku, 2)


def test_who_says_so_reports_that_all_of_it_was_shipped(merchant: Merchant) -> None:
    assert capabilities_of(merchant.name).reports_shipment
    if isinstance(merchant.shop, MedusaShop):
        pytest.skip("its words are read in test_shop_answers; nobody ships there")
    order = merchant.order(merchant.article(), 2, 13990 + 490)
    handle = merchant.connector.prepare(order)
    placed = merchant.connector.place(order, handle)
    before = merchant.connector.find(order.reference, handle)
    assert before is not None
    assert before.status is OrderStatus.PLACED
    merchant.shop.turn(placed.merchant_order_number, "shipped")
    after = merchant.connector.find(order.reference, handle)
    assert after is not None
    # What is charged then is what was confirmed.
    assert (after.status, after.total) == (OrderStatus.SHIPPED, order.expected_total)


def test_a_lost_answer_to_a_cancellation_is_unknown_and_then_seen(merchant: Merchant) -> None:
    merchant.needs_cancelling()
    sku = merchant.article(stock=3)
    order = merchant.order(sku, 1, 6995 + 490)
    placed = merchant.connector.place(order, merchant.connector.prepare(order))
    wire = FaultyWire(merchant.shop.url)
    connector = merchant.open(url=wire.url)
    try:
        wire.lose = merchant.shop.cancelling
        with pytest.raises(OutcomeUnknown):
            connector.cancel(placed.merchant_order_number, "late")
        assert connector.status(placed.merchant_order_number).status is OrderStatus.CANCELLED
    finally:
        wire.close()
    merchant.check_stock(sku, 3)


def test_silence_is_never_taken_for_no(merchant: Merchant) -> None:
    order = merchant.order(merchant.article(), 1, 6995 + 490)
    handle = merchant.connector.prepare(order)
    nobody = merchant.open(url=f"http://127.0.0.1:{free_port()}", timeout_s="2")
    stranger = merchant.open(**merchant.shop.wrong_account)
    for connector in (nobody, stranger):
        with pytest.raises(NoAnswer):
            connector.find(order.reference, handle)
        with pytest.raises(NoAnswer):
            connector.quote(order.lines, PARIS)
    with pytest.raises(NoAnswer):
        nobody.place(order, handle)


def test_an_order_is_only_found_under_its_own_reference(merchant: Merchant) -> None:
    order = merchant.order(merchant.article(), 1, 6995 + 490)
    handle = merchant.connector.prepare(order)
    merchant.connector.place(order, handle)
    with pytest.raises(Refused) as refusal:
        merchant.connector.find("pur_other/leg_1", handle)
    assert refusal.value.code == "reference_mismatch"


@pytest.mark.parametrize("number", ["999999", "../../health", ""])
def test_an_unknown_number_is_refused(merchant: Merchant, number: str) -> None:
    for ask in (merchant.connector.status, lambda each: merchant.connector.cancel(each, "x")):
        with pytest.raises(Refused) as refusal:
            ask(number)
        can_tell = capabilities_of(merchant.name).finds_by_number
        assert refusal.value.code == ("order_unknown" if can_tell else "not_supported")


def test_an_unknown_connector_is_named_with_those_that_exist() -> None:
    with pytest.raises(NotFound) as error:
        open_connector("no-such-shop", {})
    assert "oscar" in error.value.hint
    assert "port" not in connector_names()


@pytest.mark.vendure
@pytest.mark.parametrize("merchant", ["vendure"], indirect=True)
def test_vendure_sells_the_last_item_twice_to_two_who_pay_at_once(merchant: Merchant) -> None:
    assert isinstance(merchant.shop, VendureShop)
    sku = merchant.article(stock=1)
    orders = [merchant.order(sku, 1, 6995 + 490) for _ in range(2)]
    handles = [merchant.connector.prepare(order) for order in orders]
    for handle in handles:  # both have been looked at, neither has paid
        merchant.shop.let_through(handle)
    placed = [
        merchant.connector.place(order, handle)
        for order, handle in zip(orders, handles, strict=True)
    ]
    assert len({each.merchant_order_number for each in placed}) == 2
    merchant.check_stock(sku, 0)
    merchant.connector.cancel(placed[1].merchant_order_number, "sold twice")
    assert merchant.connector.find(orders[0].reference, handles[0]) == placed[0]


@pytest.mark.vendure
@pytest.mark.parametrize("merchant", ["vendure"], indirect=True)
def test_vendure_makes_one_order_of_a_reference_whatever_was_prepared(merchant: Merchant) -> None:
    order = merchant.order(merchant.article(stock=5), 1, 6995 + 490)
    first, second = (merchant.connector.prepare(order) for _ in range(2))
    merchant.connector.place(order, first)
    with pytest.raises(Refused) as refusal:
        merchant.connector.place(order, second)
    assert refusal.value.code == "order_refused"
    assert merchant.connector.find(order.reference, second) is None


@pytest.mark.vendure
@pytest.mark.parametrize("merchant", ["vendure"], indirect=True)
def test_vendure_takes_orders_of_people_who_have_an_account_there(merchant: Merchant) -> None:
    assert isinstance(merchant.shop, VendureShop)
    merchant.shop.register("known@shopper.example")
    order = merchant.order(merchant.article(), 1, 6995 + 490)
    order = replace(order, buyer=Buyer("known@shopper.example"))
    placed = merchant.connector.place(order, merchant.connector.prepare(order))
    assert placed.reference == order.reference


@pytest.mark.medusa
@pytest.mark.parametrize("merchant", ["medusa"], indirect=True)
def test_medusa_prices_without_tax_are_quoted_and_charged_with_it(merchant: Merchant) -> None:
    """64.70 CHF and 9.90 CHF of delivery before 8.1 % of VAT."""
    assert isinstance(merchant.shop, MedusaShop)
    sku = merchant.article(stock=5)
    connector = merchant.open(region=merchant.shop.sell_in_francs(sku, "64.70", "9.90"))
    quote = connector.quote([QuoteLine(sku, 2)], Destination("CH", "1200", "Genève"))
    assert (quote.lines[0].unit_price, quote.goods_total) == (
        Money(6994, "CHF"),
        Money(13988, "CHF"),
    )
    total = quote.total("standard")
    assert total == Money(15058, "CHF")
    assert total is not None
    address = replace(merchant.order(sku, 2, 0).address, country="CH")
    order = replace(merchant.order(sku, 2, 0), address=address, expected_total=total)
    placed = connector.place(order, connector.prepare(order))
    assert placed.total == total
