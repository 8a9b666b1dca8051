"""What a page says that refuses: in the reader's words, whether money moved, and where to go on."""

from __future__ import annotations

import itertools
from html import unescape

import pytest

from checkout.purchase.advance import advance
from kernel.offer_terms import Execution
from tests.checkout.shop_visits import shelve
from tests.purchase_setting import Setting, add_merchant, add_offer
from tests.small_merchant import SmallMerchant

_NUMBERS = itertools.count(1)


def elsewhere(setting: Setting, execution: Execution) -> str:
    """An offer of a merchant that is not sold here."""
    name = f"{execution.value}{next(_NUMBERS)}"
    add_merchant(setting.database, name, execution=execution)
    return add_offer(setting.database, name, "E1", 1000)


@pytest.mark.parametrize(
    ("language", "sentence", "advice", "money"),
    [
        ("fr", "ne le vend que dans sa propre boutique.", "Suivez le lien", "Aucun argent"),
        ("de", "verkauft dies nur im eigenen Shop.", "Folgen Sie dem Link", "Es ist kein Geld"),
        ("en", "sells this in its own shop only.", "Follow the link", "No money has moved."),
    ],
)
def test_a_refusal_names_its_merchant_in_the_readers_language(
    setting: Setting, language: str, sentence: str, advice: str, money: str
) -> None:
    offer = elsewhere(setting, Execution.LINK)
    address = f"/basket/lines?lang={language}"
    answer = setting.client().post(address, data={"offer_id": offer})
    assert answer.status_code == 422
    said = unescape(answer.text)
    assert f"Link{offer.removeprefix('off_link').removesuffix('E1')} {sentence}" in said
    assert advice in said
    assert money in said
    assert "%(" not in said


def test_programs_read_the_same_in_english(setting: Setting) -> None:
    offer = elsewhere(setting, Execution.LINK)
    contact = {"email": "a@b.example", "name": "A", "line1": "1 rue", "postcode": "69005"}
    asked = {
        "lines": [{"offer_id": offer}],
        "contact": {**contact, "city": "Lyon", "country": "FR"},
    }
    said = setting.client().post("/v1/quotes?lang=fr", json=asked).json()
    assert said["code"] == "not_sold_here"
    assert said["title"].endswith(" sells this in its own shop only.")


def test_what_cannot_be_cancelled_leads_back_to_its_order(
    setting: Setting, merchant: SmallMerchant
) -> None:
    """Its money may well have moved: only the page of the order knows."""
    made = setting.confirm(setting.quote({shelve(setting, merchant): 1}))
    advance(setting.deps, made.purchase_id)
    opens = setting.opens(made.order_ref)
    for whose in ("norden", "elsewhere"):
        path = f"/order/{opens}/cancel?lang=de"
        answer = setting.client().post(path, data={"merchant": whose})
        assert answer.status_code in {404, 409}
        assert f'href="/order/{opens}"' in answer.text
        assert "Es ist kein Geld geflossen" not in answer.text
        assert "Auf der Seite Ihrer Bestellung steht" in answer.text


def test_a_merchant_that_prepares_nothing_now_and_has_no_page_is_said_so(
    setting: Setting, merchant: SmallMerchant, caplog: pytest.LogCaptureFixture
) -> None:
    offer = elsewhere(setting, Execution.HANDOFF)
    setting.connectors[offer.removeprefix("off_").removesuffix("E1")] = merchant.connector()
    answer = setting.client().post("/handoff?lang=fr", data={"offer_id": offer})
    assert answer.status_code == 503
    assert "ne répond pas" in answer.text
    assert "Choisissez une autre offre" in answer.text
    # Why is for who runs the shop.
    assert "prepares nothing" not in answer.text
    assert "prepares nothing" in caplog.text
