"""The simulator: the hosted page, notices, faults, the books, and a power cut."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from comptoir.payment_simulator.cards import CHALLENGE_CODE, SAMPLES, Fate, read_card
from comptoir.payment_simulator.keys import platform_keys
from comptoir.payment_simulator.wording import WORDS
from tests.peers import Listener, Simulator, http, running_simulator, wait_for

CARD = {sample.fate: sample.number for sample in SAMPLES}
SHOP = "http://127.0.0.1:8000"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


def body_of(**changes: Any) -> dict[str, Any]:
    return {
        "amount": 14480,
        "currency": "EUR",
        "merchant_account": "acct_atelier",
        "merchant_name": "Atelier <Oscar>",
        "reference": f"pur_sim{next(_numbers)}/leg_1",
        "return_url": f"{SHOP}/back?step=paid",
        "cancel_url": f"{SHOP}/stopped",
        "capture_method": "manual",
        "locale": "fr",
    } | changes


def post(simulator: Simulator, path: str, body: Any, key: str | None = None) -> httpx2.Response:
    key = key or f"key-{next(_numbers)}"
    return simulator.call("POST", path, json=body, headers={"Idempotency-Key": key})


def create(simulator: Simulator, **changes: Any) -> dict[str, Any]:
    answer = post(simulator, "/v1/payments", body_of(**changes))
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


def read(simulator: Simulator, payment: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = simulator.call("GET", f"/v1/payments/{payment['id']}").json()
    return found


def pay(payment: dict[str, Any], fate: Fate = Fate.APPROVED, **changes: str) -> httpx2.Response:
    form = {"number": CARD[fate], "expiry": "12/39", "code": "123"} | changes
    return http.post(payment["pay_url"], data=form)


def ledger(simulator: Simulator) -> dict[str, Any]:
    books: dict[str, Any] = simulator.call("GET", "/v1/test/ledger").json()
    return books


# --- the API ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": 14.5}, "amount"),
        ({"amount": "14480"}, "amount"),
        ({"currency": "EURO"}, "currency"),
        ({"capture_method": "automatic"}, "capture_method"),
        ({"return_url": "javascript:alert(1)"}, "return_url"),
        ({"cancel_url": "http://shop.example@evil.example/"}, "cancel_url"),
        ({"return_url": "http://a.example/\r\nX: y"}, "return_url"),
        ({"locale": "it"}, "locale"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_malformed_request_is_refused_with_the_field(
    simulator: Simulator, changes: dict[str, Any], field: str
) -> None:
    answer = post(simulator, "/v1/payments", body_of(**changes))
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(field)


def test_a_change_needs_a_key_and_the_api_a_bearer(simulator: Simulator) -> None:
    no_key = simulator.call("POST", "/v1/payments", json=body_of())
    assert (no_key.status_code, no_key.json()["error"]["code"]) == (
        400,
        "idempotency_key_required",
    )
    stranger = http.get(f"{simulator.url}/v1/payments?reference=x")
    assert stranger.status_code == 401
    huge = simulator.call("POST", "/v1/payments", content=b"[" * 100_000)
    assert huge.status_code == 413
    deep = simulator.call("POST", "/v1/payments", content=b"[" * 50_000)
    assert deep.status_code == 400


def test_a_replay_is_marked_and_means_the_same_json(simulator: Simulator) -> None:
    body = body_of()
    first = post(simulator, "/v1/payments", body, "replay")
    turned_round = dict(reversed(list(body.items())))
    again = post(simulator, "/v1/payments", turned_round, "replay")
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    other = post(simulator, "/v1/payments", body | {"amount": 1}, "replay")
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_conflict")
    elsewhere = post(simulator, f"/v1/payments/{first.json()['id']}/void", {}, "replay")
    assert elsewhere.status_code == 422


def test_a_request_under_way_is_409_with_retry_after(simulator: Simulator) -> None:
    payment = create(simulator)
    simulator.fault("void", "timeout_before", delay_s=2)
    path = f"/v1/payments/{payment['id']}/void"

    def send() -> httpx2.Response | None:
        try:
            return post(simulator, path, {}, "under-way")
        except httpx2.TransportError:
            return None

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(send)
        simulator.wait_until_struck()
        second = post(simulator, path, {}, "under-way")
        assert (second.status_code, second.headers["retry-after"]) == (409, "1")
        assert first.result() is None
    third = post(simulator, path, {}, "under-way")
    assert (third.status_code, third.json()["status"]) == (200, "voided")


def test_a_hundred_captures_at_once_take_the_money_once(simulator: Simulator) -> None:
    payment = create(simulator, amount=5000)
    pay(payment)
    path = f"/v1/payments/{payment['id']}/capture"
    with ThreadPoolExecutor(8) as pool:
        statuses = list(
            pool.map(lambda _n: post(simulator, path, {"amount": 5000}).status_code, range(100))
        )
    assert statuses.count(200) == 1
    assert statuses.count(409) == 99
    assert read(simulator, payment)["captured_amount"] == 5000


def test_time_ends_a_page_and_an_authorisation(simulator: Simulator) -> None:
    waiting, held = create(simulator), create(simulator)
    pay(held)
    simulator.call("POST", "/v1/test/clock", json={"advance_s": 31 * 60})
    closed = read(simulator, waiting)
    assert (closed["status"], closed["decline_code"]) == ("cancelled", "page_expired")
    assert read(simulator, held)["status"] == "authorised"
    simulator.call("POST", "/v1/test/clock", json={"advance_s": 7 * 24 * 3600})
    late = post(simulator, f"/v1/payments/{held['id']}/capture", {"amount": 14480})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "authorisation_expired")
    assert read(simulator, held)["status"] == "expired"


# --- the hosted page ----------------------------------------------------------------------------


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


# --- notices ------------------------------------------------------------------------------------


@pytest.fixture
def listener(simulator: Simulator) -> Iterator[Listener]:
    listening = Listener()
    url = f"{listening.url}/hooks/payments"
    assert simulator.call("PUT", "/v1/webhook-endpoint", json={"url": url}).status_code == 200
    # What earlier tests left behind arrives first.
    wait_for(lambda: not _undelivered(simulator))
    listening.received.clear()
    yield listening
    simulator.call("DELETE", "/v1/test/faults")
    listening.close()


def _undelivered(simulator: Simulator) -> list[Any]:
    events = simulator.call("GET", "/v1/test/events").json()["events"]
    return [each for each in events if each["tries"] is not None and each["outcome"] is None]


def _types(listener: Listener) -> list[str]:
    return [json.loads(each.body)["type"] for each in listener.received]


def test_notices_are_signed_as_the_adapter_reads_them(
    simulator: Simulator, listener: Listener
) -> None:
    payment = create(simulator)
    pay(payment)
    wait_for(lambda: len(listener.received) == 1)
    notice = listener.received[0]
    event = simulator.provider().verify_webhook(notice.headers, notice.body, datetime.now(UTC))
    assert (event.type, event.payment_id) == ("payment.authorised", payment["id"])
    assert event.reference == payment["reference"]


def test_a_notice_is_sent_again_until_it_is_accepted(
    simulator: Simulator, listener: Listener
) -> None:
    listener.statuses = [500, 302]
    pay(create(simulator))
    wait_for(lambda: len(listener.received) == 3)
    assert len({each.body for each in listener.received}) == 1
    wait_for(lambda: not _undelivered(simulator))


def test_notices_come_twice_late_out_of_order_or_never(
    simulator: Simulator, listener: Listener
) -> None:
    payment = create(simulator)
    simulator.fault("webhook", "duplicate")
    pay(payment)
    wait_for(lambda: _types(listener) == ["payment.authorised"] * 2)
    assert len({each.body for each in listener.received}) == 1
    simulator.fault("webhook", "reordered")
    post(simulator, f"/v1/payments/{payment['id']}/capture", {"amount": 14480})
    post(simulator, f"/v1/payments/{payment['id']}/refund", {"amount": 80})
    wait_for(lambda: _types(listener)[2:] == ["payment.refunded", "payment.captured"])
    simulator.fault("webhook", "none")
    silent = create(simulator)
    pay(silent)
    simulator.fault("webhook", "delayed", delay_s=0.5)
    post(simulator, f"/v1/payments/{silent['id']}/void", {})
    wait_for(lambda: len(listener.received) == 5)
    assert _types(listener)[4] == "payment.voided"


# --- the books, and a power cut -----------------------------------------------------------------


def test_the_books_balance(simulator: Simulator) -> None:
    before = ledger(simulator)["totals"].get("EUR", {"captured": 0, "refunded": 0})
    whole, part, gone = (create(simulator, amount=10000) for _ in range(3))
    for payment in (whole, part, gone):
        pay(payment)
    post(simulator, f"/v1/payments/{whole['id']}/capture", {"amount": 10000})
    post(simulator, f"/v1/payments/{part['id']}/capture", {"amount": 4000})
    post(simulator, f"/v1/payments/{part['id']}/refund", {"amount": 1500})
    post(simulator, f"/v1/payments/{gone['id']}/void", {})
    books = ledger(simulator)
    assert books["totals"]["EUR"]["captured"] - before["captured"] == 14000
    assert books["totals"]["EUR"]["refunded"] - before["refunded"] == 1500
    for balances in books["balances"].values():
        assert sum(balances.values()) == 0
    by_id = {each["id"]: each for each in books["payments"]}
    kinds = [(e["kind"], e["amount"]) for e in by_id[part["id"]]["entries"]]
    assert kinds == [("authorise", 10000), ("capture", 4000), ("release", 6000), ("refund", 1500)]
    for each in books["payments"]:
        assert each["refunded_amount"] <= each["captured_amount"] <= each["authorised_amount"]


def test_a_power_cut_forgets_nothing_that_was_answered(tmp_path: Path) -> None:
    with running_simulator(tmp_path) as simulator:
        payment = create(simulator)
        pay(payment)
        path = f"/v1/payments/{payment['id']}/capture"
        simulator.fault("capture", "timeout_before", delay_s=60)
        with ThreadPoolExecutor(1) as pool:
            hanging = pool.submit(_ignore_break, simulator, path)
            simulator.wait_until_struck()
            simulator.kill()
            hanging.result()
        simulator.start()
        assert read(simulator, payment)["status"] == "authorised"
        captured = post(simulator, path, {"amount": 14480}, "cut")
        assert captured.status_code == 200
        simulator.kill()
        simulator.start()
        again = post(simulator, path, {"amount": 14480}, "cut")
        assert again.json() == captured.json()
        assert again.headers["idempotent-replayed"] == "true"
        assert ledger(simulator)["totals"]["EUR"]["captured"] == 14480


def _ignore_break(simulator: Simulator, path: str) -> None:
    with pytest.raises(httpx2.TransportError):
        post(simulator, path, {"amount": 14480}, "cut")


def test_keys_are_drawn_once_and_kept_from_others(tmp_path: Path) -> None:
    first = platform_keys(tmp_path)
    assert platform_keys(tmp_path) == first
    assert (tmp_path / "platform.json").stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["platform.json"]
