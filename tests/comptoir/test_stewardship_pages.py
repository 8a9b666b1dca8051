"""Pages of stewardship over HTTP: signing in, forms, one question after the other, no scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from comptoir.backoffice import create_backoffice
from comptoir.demo.brands import apply_brands
from comptoir.installation import Installation
from comptoir.pages.look import OFFICE
from mdm.match.decision import Review
from mdm.offer_rows import offer_id_of
from mdm.offers import read_offer
from mdm.stewardship import reviews
from tenants.operator_keys import revoke_operator_keys
from tenants.theme import check_contrast
from tests.comptoir.stewards_at_work import fill, installation, key
from tests.conftest import copied_database, fresh_database
from tests.mdm.offers_at_hand import load, merchants, raw

IN_A_ROW = 200


@pytest.fixture(scope="module")
def filled(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    url = fresh_database(postgres_url)
    opened = installation(url, tmp_path_factory.mktemp("data"))
    assert len(fill(opened, IN_A_ROW)) == IN_A_ROW
    opened.database.close()
    return url


def _signed_in(opened: Installation) -> Iterator[TestClient]:
    app = create_backoffice(opened)
    with TestClient(app, base_url="https://office.test") as client:
        client.headers["accept-language"] = "en"
        signed = client.post("/sign-in", data={"key": key(opened)})
        assert signed.url.path == "/stewardship"
        yield client


@pytest.fixture(scope="module")
def reader(filled: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Ann's browser, signed in, for tests that decide nothing."""
    opened = installation(copied_database(filled), tmp_path_factory.mktemp("reader"))
    yield from _signed_in(opened)
    opened.database.close()


@pytest.fixture
def desk(filled: str, tmp_path: Path) -> Iterator[TestClient]:
    """The same, over a catalogue of its own."""
    opened = installation(copied_database(filled), tmp_path)
    yield from _signed_in(opened)
    opened.database.close()


def at(desk: TestClient) -> Installation:
    found = desk.app.state.installation  # type: ignore[attr-defined]
    assert isinstance(found, Installation)
    return found


def token(page: str) -> str:
    found = re.search(r'name="token" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


def open_count(page: str) -> int:
    found = re.search(r"([\d,]+) questions? (?:is|are) open", page)
    return int(found[1].replace(",", "")) if found else 0


def first(desk: TestClient) -> str:
    found = re.search(r'href="(/stewardship/reviews/\d+)"', desk.get("/stewardship").text)
    assert found is not None
    return found[1]


def test_two_hundred_decisions_in_a_row(desk: TestClient) -> None:
    """Each answer leads to the next question, in one step, on a small page, until none is left."""
    address, sizes, seen = first(desk), [], set()
    page = desk.get(address)
    for number in range(IN_A_ROW):
        assert open_count(page.text) == IN_A_ROW - number
        seen.add(page.url.path)
        sizes.append(len(page.content))
        verdict = "reject" if number % 3 == 0 else "accept"
        page = desk.post(page.url.path, data={"token": token(page.text), "verdict": verdict})
        assert [each.status_code for each in page.history] == [303]
        assert page.status_code == 200
    assert page.url.path == "/stewardship"
    assert "Nothing waits" in page.text
    # The last answer too is told, and can be taken back.
    assert 'data-key="u">Take it back' in page.text
    assert len(seen) == IN_A_ROW
    assert max(sizes) < 30_000
    assert max(sizes[100:]) < max(sizes[:100]) * 1.2
    history = desk.get("/stewardship/history").text
    assert history.count("Take back<") == 50


def test_undo_brings_the_question_back(desk: TestClient) -> None:
    address = first(desk)
    page = desk.get(address)
    after = desk.post(address, data={"token": token(page.text), "verdict": "accept"})
    assert after.url.path != address
    assert "1 offer moved" in after.text
    undo = re.search(r'action="(/stewardship/acts/\d+/undo)"', after.text)
    assert undo is not None
    back = desk.post(undo[1], data={"token": token(after.text)})
    assert back.url.path == address
    assert open_count(back.text) == IN_A_ROW
    assert "Same product" in back.text


def test_nobody_is_let_in_without_a_session(reader: TestClient) -> None:
    address = first(reader)
    with TestClient(reader.app, base_url="https://office.test") as stranger:
        stranger.headers["accept-language"] = "en"
        for path in ("/stewardship", address, "/stewardship/history", "/"):
            assert stranger.get(path).url.path == "/sign-in"
        wrong = stranger.post("/sign-in", data={"key": "cok_123_456"})
        assert wrong.status_code == 401
        assert "not valid" in wrong.text
        assert stranger.post(address, data={"verdict": "accept"}).url.path == "/sign-in"
        of_a_brand = _brand_key(at(reader))
        refused = stranger.post("/sign-in", data={"key": of_a_brand})
        assert refused.status_code == 403
        assert "one brand alone" in refused.text
        # No session keeps this browser out of the sign-in until it ends.
        assert stranger.get("/stewardship").url.path == "/sign-in"
    assert open_count(reader.get("/stewardship").text) == IN_A_ROW


def _brand_key(opened: Installation) -> str:
    apply_brands(opened)
    return key(opened, "Bo", "mirabelle")


def test_a_session_ends_by_hand_and_with_the_key(reader: TestClient) -> None:
    opened = at(reader)
    cookie = next(each for each in reader.cookies.jar if each.name == "__Host-operator")
    assert cookie.secure
    assert cookie.has_nonstandard_attr("HttpOnly")
    kept = cookie.value
    assert kept is not None
    reader.post("/sign-out", data={"token": token(reader.get("/stewardship").text)})
    assert reader.get("/stewardship").url.path == "/sign-in"
    reader.cookies.set("__Host-operator", kept, domain="office.test")
    assert reader.get("/stewardship").url.path == "/sign-in"
    reader.cookies.clear()
    reader.post("/sign-in", data={"key": key(opened, "Cleo")})
    assert reader.get("/stewardship").url.path == "/stewardship"
    with opened.database.platform() as tx:
        revoke_operator_keys(tx, "Cleo")
    assert reader.get("/stewardship").url.path == "/sign-in"
    reader.post("/sign-in", data={"key": key(opened)})


@pytest.mark.parametrize("sent", ["", "0" * 64, "é"])
def test_a_form_that_is_not_of_the_session_does_nothing(reader: TestClient, sent: str) -> None:
    answer = reader.post(first(reader), data={"token": sent, "verdict": "accept"})
    assert answer.status_code == 403
    assert "earlier session" in answer.text
    assert open_count(reader.get("/stewardship").text) == IN_A_ROW


def test_another_site_cannot_send_a_form(reader: TestClient) -> None:
    address = first(reader)
    sent = {"token": token(reader.get(address).text), "verdict": "accept"}
    answer = reader.post(address, data=sent, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 403
    assert open_count(reader.get("/stewardship").text) == IN_A_ROW


def test_a_product_is_split_and_merged_on_its_page(desk: TestClient) -> None:
    address = first(desk)
    page = desk.get(address).text
    homes = list(dict.fromkeys(re.findall(r"/stewardship/products/(prd_\w+)", page)))
    product = desk.get(f"/stewardship/products/{homes[0]}").text
    sent = {"token": token(product), "kind": "merge", "product": homes[0]}
    asked = desk.post("/stewardship/acts", data={**sent, "to": f"https://x.test/p/{homes[1]}"})
    assert "What this would change" in asked.text
    assert "1 offer moves" in asked.text
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', asked.text)
    form: dict[str, list[str]] = {}
    for name, value in fields[1:]:  # the first is of the sign-out
        form.setdefault(name, []).append(unescape(value))
    done = desk.post("/stewardship/acts", data=form)
    assert "Products merged" in done.text
    offers = re.findall(r'name="offer" value="(off_\w+)"', done.text)
    assert len(offers) == 2
    split = {**sent, "product": homes[0], "kind": "split", "offer": offers[0], "step": "do"}
    refused = desk.post("/stewardship/acts", data=split)
    assert refused.status_code == 409
    done = desk.post("/stewardship/acts", data={**split, "sure": "1"})
    assert "Product split" in done.text
    assert len(re.findall(r'name="offer"', done.text)) == 1


def test_a_product_says_why_it_is_not_with_others(desk: TestClient) -> None:
    opened = at(desk)
    merchants(opened.database, "gamma", "delta")
    for merchant, size in (("gamma", 64), ("delta", 128)):
        title = f"Norvalis Lumen 6 phone {size} GB black"
        load(opened.database, merchant, [raw("lumen", title, "300.00")], complete=True)
    with opened.database.platform() as tx:
        product = read_offer(tx, offer_id_of("delta", "lumen"))
    assert product is not None
    address = f"/stewardship/products/{product.product_id}"
    page = desk.get(address, headers={"accept-language": "fr"}).text
    assert "Pourquoi il n’est pas réuni à d’autres" in page
    reason = re.search(r'<th scope="row">(.*?)</th><td><a href="/stewardship/products/prd_', page)
    assert reason is not None
    assert " ".join(reason[1].split()) in ("Stockage: 128 Go / 64 Go", "Stockage: 64 Go / 128 Go")


def test_a_question_says_what_held_the_matcher_back(desk: TestClient) -> None:
    evidence = {"for": [], "against": [], "held_back": "model codes agree in parts only"}
    with at(desk).database.platform() as tx:
        offers = [offer_id_of(merchant, "lamp-7") for merchant in ("beta", "alpha")]
        reviews.put_reviews(
            tx, [Review(offers[0], offers[1], None, 0.93, evidence)], datetime.now(UTC)
        )
        (number,) = tx.exec_driver_sql(
            "SELECT review_id FROM mdm.review WHERE evidence ? 'held_back'"
        ).scalars()
    for language, words in (
        ("fr", "Leurs codes de modèle ne concordent qu’en partie."),
        ("de", "Ihre Modellnummern stimmen nur in Teilen überein."),
    ):
        page = desk.get(f"/stewardship/reviews/{number}", headers={"accept-language": language})
        assert words in page.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/stewardship/reviews/99999", 404),
        ("/stewardship/reviews/0", 404),
        ("/stewardship/reviews/abc", 404),
        ("/stewardship/reviews/" + "9" * 30, 404),
        ("/stewardship/nowhere", 404),
        ("/stewardship/products/prd_no", 404),
        ("/stewardship/history?before=x", 404),
        ("/stewardship/history?who=%00", 404),
        ("/stewardship/products/%00", 404),
    ],
)
def test_odd_addresses_are_refused_kindly(reader: TestClient, path: str, status: int) -> None:
    answer = reader.get(path)
    assert answer.status_code == status
    assert "This was not done" in answer.text


def test_three_languages_and_both_schemes(reader: TestClient) -> None:
    address = first(reader)
    assert "Est-ce le même produit" in reader.get(address, params={"lang": "fr"}).text
    assert "Est-ce le même produit" in reader.get(address).text
    assert "Ist das dasselbe Produkt?" in reader.get(address, params={"lang": "de"}).text
    assert 'data-scheme="dark"' in reader.get(address, params={"scheme": "dark"}).text


def test_its_colours_can_be_read() -> None:
    assert check_contrast(OFFICE) == []
