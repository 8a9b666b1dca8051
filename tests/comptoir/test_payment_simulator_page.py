"""The simulator's hosted page: what the buyer sees, types, and is led to."""

from __future__ import annotations

import re
from datetime import date

import pytest

from comptoir.payment_simulator.cards import CHALLENGE_CODE, SAMPLES, Fate, read_card
from comptoir.payment_simulator.wording import WORDS
from tests.comptoir.payment_simulator_calls import SHOP, create, pay, read, simulator
from tests.peers import Simulator, http

__all__ = ["simulator"]


@pytest.mark.parametrize("language", ["fr", "de", "en"])
def test_the_page_speaks_and_shows_payee_and_amount(simulator: Simulator, language: str) -> None:
    payment = create(simulator, locale=language)
    page = http.get(payment["pay_url"])
    assert page.status_code == 200
    assert f'<html lang="{language}">' in page.text
    assert "Atelier &lt;Oscar&gt;" in page.text
    spoken = {"fr": "144,80\xa0€", "de": "144,80\xa0€", "en": "€144.80"}[language]
    assert WORDS[language]["pay"].format(amount=spoken) in page.text
    assert "<script" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert policy.endswith(f"form-action 'self' {SHOP}")
    assert page.headers["cache-control"] == "no-store"


def test_every_language_has_the_same_words_and_blanks() -> None:
    blanks = {
        language: {name: sorted(re.findall(r"{\w+}", text)) for name, text in words.items()}
        for language, words in WORDS.items()
    }
    assert blanks["fr"] == blanks["en"]
    assert blanks["de"] == blanks["en"]


def test_paying_leads_back_and_a_second_click_changes_nothing(simulator: Simulator) -> None:
    payment = create(simulator)
    first = pay(payment)
    assert first.status_code == 303
    back = f"{SHOP}/back?step=paid&payment_id={payment['id']}"
    assert first.headers["location"] == back
    assert pay(payment).headers["location"] == back
    assert pay(payment, Fate.CARD_DECLINED).headers["location"] == back
    stop = http.post(f"{payment['pay_url']}/cancel")
    assert stop.headers["location"] == back
    now = read(simulator, payment)
    assert (now["status"], now["authorised_amount"]) == ("authorised", 14480)
    assert now["card"] == {"network": "visa", "last4": "1111"}
    assert WORDS["fr"]["done_authorised"] in http.get(payment["pay_url"]).text


def test_wrong_entries_are_named_and_never_written_back(simulator: Simulator) -> None:
    payment = create(simulator)
    answer = pay(payment, number="4111 1111 1111 1112", expiry="13/39", code="12")
    assert answer.status_code == 422
    for name in ("number_invalid", "expiry_invalid", "code_invalid"):
        assert answer.text.count(WORDS["fr"][name]) == 2
    assert "4111 1111 1111 1112" not in answer.text
    assert answer.text.count('aria-invalid="true"') == 3
    assert read(simulator, payment)["decline_code"] is None


def test_three_declines_close_the_page(simulator: Simulator) -> None:
    payment = create(simulator)
    for left in (2, 1):
        declined = pay(payment, Fate.CARD_DECLINED)
        page = http.get(f"{simulator.url}{declined.headers['location']}")
        assert WORDS["fr"]["declined_card_declined"] in page.text
        assert WORDS["fr"]["try_another"].format(left=left) in page.text
    last = pay(payment, Fate.CARD_DECLINED)
    assert last.headers["location"] == f"{SHOP}/stopped?payment_id={payment['id']}"
    now = read(simulator, payment)
    assert (now["status"], now["decline_code"]) == ("cancelled", "card_declined")


def test_the_bank_checks_before_it_authorises(simulator: Simulator) -> None:
    payment = create(simulator)
    check = f"{simulator.url}{pay(payment, Fate.CHALLENGE).headers['location']}"
    page = http.get(check)
    assert "Atelier &lt;Oscar&gt;" in page.text
    assert "144,80\xa0€" in page.text
    assert read(simulator, payment)["status"] == "requires_payment"
    wrong = http.post(check, data={"code": "000000"})
    assert (wrong.status_code, read(simulator, payment)["status"]) == (422, "requires_payment")
    right = http.post(check, data={"code": CHALLENGE_CODE})
    assert right.headers["location"].startswith(f"{SHOP}/back")
    assert read(simulator, payment)["status"] == "authorised"


@pytest.mark.parametrize("answers", [[{"refuse": "1"}], [{"code": "1"}] * 3])
def test_who_fails_the_check_is_declined(
    simulator: Simulator, answers: list[dict[str, str]]
) -> None:
    payment = create(simulator)
    check = f"{simulator.url}{pay(payment, Fate.CHALLENGE).headers['location']}"
    for answer in answers:
        http.post(check, data=answer)
    now = read(simulator, payment)
    assert (now["status"], now["decline_code"]) == ("requires_payment", "authentication_failed")
    # Without a new card there is nothing to confirm.
    http.post(check, data={"code": CHALLENGE_CODE})
    assert read(simulator, payment)["status"] == "requires_payment"


def test_going_back_cancels(simulator: Simulator) -> None:
    payment = create(simulator)
    answer = http.post(f"{payment['pay_url']}/cancel")
    assert answer.headers["location"] == f"{SHOP}/stopped?payment_id={payment['id']}"
    assert read(simulator, payment)["status"] == "cancelled"
    assert pay(payment).headers["location"].startswith(f"{SHOP}/stopped")
    assert read(simulator, payment)["authorised_amount"] == 0


def test_an_unknown_payment_is_a_page_of_its_own(simulator: Simulator) -> None:
    page = http.get(f"{simulator.url}/pay/pay_nothing?locale=de")
    assert page.status_code == 404
    assert WORDS["de"]["unknown"] in page.text


@pytest.mark.parametrize(
    ("number", "expiry", "code", "wrong"),
    [
        ("4111111111111111", "11/26", "123", {}),
        ("4111-1111-1111-1111", "1 / 2030", "1234", {}),
        ("4111111111111111", "10/26", "123", {"expiry": "expiry_past"}),
        ("4111111111111111", "00/30", "123", {"expiry": "expiry_invalid"}),
        ("4111111111111111", "", "", {"expiry": "expiry_invalid", "code": "code_invalid"}),
        ("41111111111111١١", "11/30", "123", {"number": "number_invalid"}),
        ("0" * 12, "11/30", "123", {"number": "number_invalid"}),
    ],
)
def test_reading_a_card(number: str, expiry: str, code: str, wrong: dict[str, str]) -> None:
    card, errors = read_card(number, expiry, code, date(2026, 11, 22))
    assert errors == wrong
    assert (card is None) == bool(wrong)


def test_an_unlisted_card_is_never_accepted() -> None:
    card, _ = read_card("5555555555554444", "11/30", "123", date(2026, 11, 22))
    assert card is not None
    assert (card.fate, card.network) == (Fate.CARD_DECLINED, "mastercard")


def test_a_card_with_two_networks_is_paid_as_its_holder_ticks(simulator: Simulator) -> None:
    number = next(sample.number for sample in SAMPLES if sample.is_co_badged)
    page = http.get(create(simulator)["pay_url"]).text
    assert page.count('name="network"') == 2
    assert WORDS["fr"]["network_hint"] in page
    for ticked, network in (("cartes_bancaires", "cartes_bancaires"), ("other", "visa")):
        payment = create(simulator)
        pay(payment, number=number, network=ticked)
        assert read(simulator, payment)["card"] == {"network": network, "last4": "1001"}
    kept = pay(create(simulator), number="1", network="other").text
    assert re.search(r'value="other"\s+checked', kept)
