"""The merchant's shop: catalogue in, offers pushed out, the order on the merchant's own screen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from checkout.merchant_connectors.port import Buyer, DeliveryAddress, OrderRequest, QuoteLine
from comptoir.merchant_oscar.install import ADMIN_USER, is_installed
from comptoir.merchant_oscar.run import push_offers, run_command, wait_ready
from kernel.errors import DomainError
from kernel.money import Money
from tests.peers import Listener, Shop, free_port, running_shop

pytestmark = pytest.mark.oscar

TOASTER = {
    "sku": "T-1",
    "gtin": "9521000000013",
    "title": "Grille-pain Lumière",
    "description": "Deux fentes",
    "category": "Maison > Cuisine",
    "price_minor": 6995,
    "currency": "EUR",
    "stock": 3,
    "language": "fr",
    "manufacturer": "Lumo",
    "mpn": "LM-1",
    "colour": "white",
    "condition": "refurbished",
    "group": "lumiere",
    "pack": 2,
    "delivery": {"FR": 490, "DE": 690},
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with running_shop(tmp_path_factory.mktemp("oscar")) as running:
        yield running


@pytest.fixture
def comparator() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


def test_an_empty_catalogue_is_not_pushed(shop: Shop, comparator: Listener) -> None:
    with pytest.raises(DomainError) as error:
        push_offers(shop.installation, url=comparator.url, key="k", shop_url=shop.url)
    assert "catalogue is empty" in error.value.hint
    assert comparator.received == []


def test_sheets_are_loaded_once_and_bad_ones_refused(shop: Shop) -> None:
    red = TOASTER | {"sku": "T-2", "title": "Grille-pain Lumière rouge", "stock": 0}
    bad: list[dict[str, Any]] = [
        TOASTER | {"sku": "B-1", "price_minor": -1},
        TOASTER | {"sku": "B-2", "price_minor": 19.99},
        TOASTER | {"sku": "B-3", "currency": "USD"},
        TOASTER | {"sku": "B-4", "delivery": {"FR": "free"}},
        {"sku": "B-5"},
    ]
    assert shop.load(TOASTER, red, *bad) == "2 new, 0 known, 5 refused"
    # Loading again, with the price of one changed, makes nothing new.
    assert shop.load(TOASTER | {"price_minor": 5995}, red) == "0 new, 2 known, 0 refused"
    lines = [QuoteLine("T-1", 1), QuoteLine("T-2", 1), QuoteLine("B-4", 1)]
    order = _order(lines[0], 5995 + 490)
    assert shop.connector().prepare(order)
    assert shop.load(TOASTER) == "0 new, 1 known, 0 refused"


def _order(line: QuoteLine, total: int) -> OrderRequest:
    return OrderRequest(
        reference="pur_shop/leg_1",
        lines=(line,),
        address=DeliveryAddress("Élise Ménard", "1 rue de l'Été", "75011", "Paris", "FR"),
        buyer=Buyer("buyer@shopper.example"),
        delivery_code="standard",
        expected_total=Money(total, "EUR"),
    )


def test_offers_are_pushed_in_one_run_and_again_after_a_failure(
    shop: Shop, comparator: Listener
) -> None:
    plain = TOASTER | {"sku": "M-1", "gtin": "", "delivery": {}}
    assert shop.load(plain) == "1 new, 0 known, 0 refused"
    comparator.statuses = [200, 503, 200]
    options = {"--url": comparator.url, "--key": "merchant-key", "--shop-url": shop.url}
    arguments = [word for option in options.items() for word in option]
    run_command(shop.installation, "push_offers", "--batch", "2", *arguments)
    first, failed, repeated = comparator.received
    assert {each.path for each in comparator.received} == {"/v1/merchants/offers"}
    assert {each.headers["Authorization"] for each in comparator.received} == {
        "Bearer merchant-key"
    }
    assert (failed.body, failed.headers["Idempotency-Key"]) == (
        repeated.body,
        repeated.headers["Idempotency-Key"],
    )
    batches = [json.loads(each.body) for each in (first, repeated)]
    assert [len(batch["offers"]) for batch in batches] == [2, 1]
    assert [batch["complete"] for batch in batches] == [False, True]
    assert batches[0]["run"] == batches[1]["run"]
    assert first.headers["Idempotency-Key"] != repeated.headers["Idempotency-Key"]
    offers = {offer["sku"]: offer for batch in batches for offer in batch["offers"]}
    assert len(offers) == 3
    pushed = offers["T-1"]
    assert httpx2.get(pushed.pop("url"), trust_env=False).status_code == 200
    assert pushed == {
        "sku": "T-1",
        "title": "Grille-pain Lumière",
        "description": "Deux fentes",
        "language": "fr",
        "gtin": "9521000000013",
        "mpn": "LM-1",
        "manufacturer": "Lumo",
        "category": "Maison > Cuisine",
        "price": "69.95",
        "currency": "EUR",
        "availability": "in_stock",
        "quantity": 3,
        "condition": "refurbished",
        "group": "lumiere",
        "multipack": 2,
        "attributes": {"colour": "white"},
        "delivery": [
            {"country": "DE", "price": "6.90", "days_min": 3, "days_max": 5},
            {"country": "FR", "price": "4.90", "days_min": 2, "days_max": 4},
        ],
    }
    # Two variants under one GTIN keep it both, though the shop's own field takes it once.
    assert offers["T-2"]["gtin"] == "9521000000013"
    assert (offers["T-2"]["availability"], offers["T-2"]["quantity"]) == ("out_of_stock", 0)
    assert {each["country"] for each in offers["M-1"]["delivery"]} >= {"FR", "DE", "AT"}


def test_a_refused_push_says_why(shop: Shop, comparator: Listener) -> None:
    comparator.statuses = [401]
    with pytest.raises(DomainError) as error:
        push_offers(shop.installation, url=comparator.url, key="wrong", shop_url=shop.url)
    assert "refused with 401" in error.value.hint
    assert len(comparator.received) == 1


def test_the_order_is_on_the_merchants_screen(shop: Shop) -> None:
    assert shop.load(TOASTER) == "0 new, 1 known, 0 refused"
    connector = shop.connector()
    order = _order(QuoteLine("T-1", 1), 6995 + 490)
    placed = connector.place(order, connector.prepare(order))
    with httpx2.Client(base_url=shop.url, trust_env=False, follow_redirects=True) as browser:
        login = browser.get("/dashboard/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', login.text)
        assert token is not None
        account = {
            "username": f"{ADMIN_USER}@shop.example",
            "password": shop.installation.password("admin"),
            "csrfmiddlewaretoken": token[1],
        }
        assert browser.post("/dashboard/login/", data=account).status_code == 200
        assert placed.merchant_order_number in browser.get("/dashboard/orders/").text
        page = browser.get(f"/dashboard/orders/{placed.merchant_order_number}/").text
    assert "pur_shop/leg_1" in page
    assert "Élise Ménard" in page
    assert "74.85" in page


def test_platform_views_are_closed_to_others(shop: Shop) -> None:
    for path in ("/platform/products/?sku=T-1", "/platform/orders/?basket=1", "/dashboard/"):
        answer = httpx2.get(shop.url + path, trust_env=False)
        assert answer.status_code in (401, 302), path


def test_secrets_are_for_the_owner_alone(shop: Shop) -> None:
    for name in ("accounts.json", "django-secret"):
        mode = (shop.installation.data_dir / name).stat().st_mode
        assert mode & 0o077 == 0, name


def test_a_half_made_installation_is_not_one(tmp_path: Path) -> None:
    assert not is_installed(tmp_path)
    (tmp_path / "venv.done").write_text("of another version", encoding="ascii")
    (tmp_path / "database.done").write_text("of another version", encoding="ascii")
    assert not is_installed(tmp_path)


def test_what_fails_says_so(shop: Shop) -> None:
    with pytest.raises(DomainError) as missing:
        run_command(shop.installation, "load_catalogue", "/no/such/file.jsonl")
    assert "cannot read" in missing.value.hint
    with pytest.raises(DomainError) as silent:
        wait_ready(f"http://127.0.0.1:{free_port()}", 0.2)
    assert silent.value.code == "shop_not_ready"
