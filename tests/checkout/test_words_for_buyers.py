"""Every state of a part of an order has words in every language of the shop: what happened, and
what became of the money.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
from jinja2 import ChoiceLoader, DictLoader

from checkout.orders import money_state
from checkout.purchase.machine import State
from checkout.states import LegState, MoneyState, Reason
from kernel.money import Money
from tenants.pages.rendering import page_environment, render
from tests.browser import samples_of_checkout as samples
from tests.browser.sample_brands import brand
from tests.checkout.test_parked import HELD, NOW

LANGUAGES = ("fr", "de", "en")
BRAND = brand("mirabelle")
PAGES = page_environment(["search_api.pages", "checkout.pages"])
assert PAGES.loader is not None
WORDS = PAGES.overlay(
    loader=ChoiceLoader(
        [
            PAGES.loader,
            DictLoader(
                {
                    "reason": '{% from "purchase.html" import reason_text %}'
                    '{{ reason_text(code, "Velbur") }}',
                    "money": '{% from "purchase.html" import money_text %}'
                    "{{ money_text(code, amount) }}",
                }
            ),
        ]
    )
)
USUAL_FATE = {
    LegState.AWAITING_PAYMENT: MoneyState.NONE,
    LegState.PAID_FOR: MoneyState.RESERVED,
    LegState.BEING_PLACED: MoneyState.RESERVED,
    LegState.PLACED: MoneyState.RESERVED,
    LegState.AWAITING_SHIPMENT: MoneyState.RESERVED,
    LegState.COMPLETED: MoneyState.CHARGED,
    LegState.CANCELLING: MoneyState.RESERVED,
    LegState.CANCELLED: MoneyState.RELEASED,
    LegState.WITHDRAWING: MoneyState.RESERVED,
    LegState.CANCELLING_ORDER: MoneyState.CHARGED,
    LegState.REFUNDING: MoneyState.REFUNDING,
    LegState.REFUNDED: MoneyState.REFUNDED,
    LegState.NEEDS_ATTENTION: MoneyState.UNKNOWN,
}


def words(kind: str, code: str, language: str) -> str:
    """Of a reason or of a fate of the money; the amount is that of the samples."""
    said = render(
        WORDS, kind, brand=BRAND, language=language, code=code, amount=Money(35400, "EUR")
    )
    return _plain(said)


def _plain(marked: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", marked)).split())


@pytest.mark.parametrize(("kind", "codes"), [("reason", Reason), ("money", MoneyState)])
def test_each_has_words_of_its_own_in_every_language(
    kind: str, codes: type[Reason] | type[MoneyState]
) -> None:
    for code in codes:
        assert len({words(kind, code, language) for language in LANGUAGES}) == len(LANGUAGES)
    for language in LANGUAGES:
        said = [words(kind, code, language) for code in codes]
        assert all(len(each) > 15 for each in said)
        assert len(set(said)) == len(codes)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", LegState)
def test_every_state_says_what_became_of_the_money(state: LegState, language: str) -> None:
    fate = USUAL_FATE[state]
    leg = samples.leg("fr", state, fate, None)  # titles are the merchant's own
    page = replace(samples.order(leg), is_new=False, is_settled=False, refresh_s=2)
    known = {"brand": BRAND, "language": language, "page": page, "is_first": False}
    letter = render(PAGES, "order_letter.txt", **known, order_url="x", terms_url="y")
    shown = _plain(render(PAGES, "order.html", **known))
    fate_said = words("money", fate, language)
    assert fate_said in _plain(letter)
    if state is not LegState.COMPLETED:  # which shows what was charged as an amount
        assert fate_said in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_list_of_payments_tells_states_apart(language: str) -> None:
    """The page that waits for payments has nothing but a word for each."""
    page = samples.pending(language)
    texts = []
    for payment in page.legs:
        one = replace(page, legs=(payment,))
        shown = render(PAGES, "pending.html", brand=BRAND, language=language, page=one)
        texts.append(_plain(shown))
    told = dict(zip(LegState, texts, strict=True))
    alike = [
        {LegState.PAID_FOR, LegState.BEING_PLACED},
        {LegState.WITHDRAWING, LegState.CANCELLING_ORDER},
        {LegState.CANCELLING, LegState.CANCELLED},
        {LegState.REFUNDING, LegState.REFUNDED},
    ]
    assert all(len({told[state] for state in each}) == 1 for each in alike)
    assert len(set(texts)) == len(texts) - len(alike)


@pytest.mark.parametrize(
    ("state", "money"),
    [
        (State.AUTHORISED, MoneyState.RESERVED),
        (State.PREPARED, MoneyState.RESERVED),
        (State.WITHDRAWING, MoneyState.RESERVED),
        (State.AWAITING_SHIPMENT, MoneyState.RESERVED),
        (State.PLACED, MoneyState.UNKNOWN),
        (State.SHIPPED, MoneyState.UNKNOWN),
        (State.VOIDING, MoneyState.UNKNOWN),
    ],
)
def test_money_is_in_doubt_only_where_the_provider_was_asked_to_move_it(
    state: State, money: MoneyState
) -> None:
    leg = replace(HELD, state=state, state_since=NOW - timedelta(hours=1), attention="late")
    assert money_state(leg) is money
    assert money_state(replace(leg, attention=None)) is MoneyState.RESERVED
