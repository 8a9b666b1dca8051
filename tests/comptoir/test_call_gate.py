"""Abuse is slowed at the doors of the shop and the back office, and nobody else is."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr
from starlette.testclient import TestClient
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from comptoir.backoffice import create_backoffice
from comptoir.call_gate import DOORS, CallGate, door_of, shop_limits
from comptoir.installation import Installation
from comptoir.shop import create_shop
from kernel.settings import Settings
from tenants.brand import read_brand_file
from tenants.operator_keys import create_operator_key
from tenants.registry import apply_brand
from tests.conftest import fresh_database
from tests.redis_server import RedisServer
from tests.redis_server import redis_server as redis_server

BUNDLED = Path(__file__).resolve().parents[2] / "tenants" / "bundled"
PROXY, VISITOR = "10.0.0.1", "203.0.113.7"
OPEN = (
    *("/healthz", "/openapi.json", "/order/", "/pay/", "/v1/orders/", "/webhooks/", "/terms"),
    *(
        "/legal/",
        "/static/",
        "/drawings/",
        "/robots.txt",
        "/sitemap",
        "/.well-known/",
        "/v1/export",
    ),
)
"""Addresses that no door keeps: what was bought, what others have signed, what stays the same, and
exports, which are limited by their key."""
LIMITS = {
    "limit_search": 4, "limit_suggestions": 6, "limit_events": 3, "limit_basket": 3,
    "limit_checkout": 2, "limit_wrong_keys": 3,
}  # fmt: skip


@pytest.fixture(scope="module")
def database_url(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    url = fresh_database(postgres_url)
    installed = Installation(
        Settings(comptoir_data=tmp_path_factory.mktemp("data"), database_url=SecretStr(url))
    )
    for name in ("mirabelle", "taktwerk"):
        with installed.database.platform() as tx:
            apply_brand(tx, *read_brand_file(BUNDLED / f"{name}.toml"))
    installed.database.close()
    return url


def installation(database_url: str, folder: Path, **settings: Any) -> Installation:
    return Installation(
        Settings(
            comptoir_data=folder,
            database_url=SecretStr(database_url),
            payment_url="http://127.0.0.1:9",
            payment_api_key=SecretStr("key"),
            payment_webhook_secret=SecretStr("secret"),
            **{**LIMITS, **settings},
        )
    )


def client_of(
    app: FastAPI, host: str = VISITOR, *, name: str = "mirabelle", **headers: str
) -> TestClient:
    return TestClient(
        app,
        base_url=f"http://{name}.localhost",
        client=(host, 50_000),
        headers=headers,
        follow_redirects=False,
    )


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> FastAPI:
    return create_shop(installation(database_url, tmp_path))


def statuses(client: TestClient, path: str, times: int, method: str = "GET") -> list[bool]:
    """Which of so many calls were refused."""
    return [client.request(method, path).status_code == 429 for _ in range(times)]


def test_every_route_has_a_door_or_is_known_to_have_none(shop: FastAPI) -> None:
    paths = {re.sub(r"\{[^}]*\}", "1", row.path or "") for row in iter_route_contexts(shop.routes)}
    assert len(paths) > 30
    doorless = {path for path in paths if door_of(path) is None}
    assert {path for path in doorless if not path.startswith(OPEN)} == set()
    assert {door_of(path) for path in paths} - {None} == set(DOORS.values())
    assert set(DOORS.values()) == set(shop_limits(Settings()))


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/search?q=x", 4), ("/v1/search", 4), ("/suggest?q=x", 6), ("/basket", 3), ("/checkout", 2)],
)
def test_a_door_closes_after_its_limit_for_one_caller(
    shop: FastAPI, path: str, allowed: int
) -> None:
    client = client_of(shop)
    assert statuses(client, path, allowed + 2) == [False] * allowed + [True] * 2
    assert statuses(client_of(shop, "203.0.113.8"), path, 1) == [False]
    assert statuses(client_of(shop, name="taktwerk"), path, 1) == [False]


def test_what_was_bought_and_health_stay_open_under_a_flood(shop: FastAPI) -> None:
    client = client_of(shop)
    for path in ("/search", "/basket", "/checkout", "/v1/events", "/suggest"):
        statuses(client, path, 20)
    for path in ("/healthz", "/order/x", "/v1/orders/x", "/pay/return/x", "/legal/notice"):
        assert statuses(client, path, 20) == [False] * 20
    assert statuses(client, "/webhooks/payments/simulator", 20, "POST") == [False] * 20


@pytest.mark.parametrize(
    ("language", "what", "until", "order"),
    [
        ("en", "asked this shop for more", "Go on in ", "orders that were placed stand"),
        ("fr", "a demandé à cette boutique plus", "Continuez dans ", "les commandes passées"),
        ("de", "kamen mehr Anfragen", "Sekunden geht es weiter", "aufgegebene Bestellungen"),
    ],
)
def test_people_read_what_why_and_what_next(
    shop: FastAPI, language: str, what: str, until: str, order: str
) -> None:
    client = client_of(shop)
    statuses(client, "/search", 4)
    answer = client.get(f"/search?q=lampe&lang={language}")
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.headers["cache-control"] == "no-store"
    assert "content-security-policy" in answer.headers
    for said in (what, until, order):
        assert said in answer.text
    assert f'href="/search?q=lampe&amp;lang={language}"' in answer.text


def test_a_form_that_was_refused_leads_to_what_can_be_opened(shop: FastAPI) -> None:
    client = client_of(shop)
    statuses(client, "/basket", 3)
    answer = client.post("/basket/lines", data={"offer_id": "off_x"})
    assert answer.status_code == 429
    assert 'href="/basket"' in answer.text


def test_programs_read_problem_json_and_suggestions_nothing(shop: FastAPI) -> None:
    client = client_of(shop)
    statuses(client, "/v1/search", 6)
    said = client.get("/v1/search")
    assert said.headers["content-type"] == "application/problem+json"
    assert said.json()["code"] == "too_many_requests"
    assert said.headers["retry-after"]
    statuses(client, "/suggest", 8)
    assert (client.get("/suggest").status_code, client.get("/suggest").text) == (429, "")


def test_a_call_for_several_things_counts_for_as_many(shop: FastAPI) -> None:
    client = client_of(shop)
    rows = [{"indexName": "products", "params": ""}] * 5
    refused = client.post("/v1/instantsearch", json={"requests": rows})
    assert refused.status_code == 429
    assert refused.json()["message"]
    assert refused.headers["retry-after"]
    assert client_of(shop, "203.0.113.9").post(
        "/v1/instantsearch", json={"requests": rows[:3]}
    ).status_code != 429  # fmt: skip


def test_a_strangers_word_about_its_address_is_not_believed(
    database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_shop(installation(database_url, tmp_path))
    with caplog.at_level(logging.WARNING):
        refused = [
            client_of(app, **{"x-forwarded-for": f"198.51.100.{n}"}).get("/search").status_code
            for n in range(6)
        ]
    assert [status == 429 for status in refused] == [False] * 4 + [True] * 2
    assert sum("TRUSTED_PROXIES" in row.getMessage() for row in caplog.records) == 1


@pytest.mark.parametrize(
    "forged", ["", "198.51.100.1, ", "unknown, ", "10.0.0.9, ", "2001:db8::1, [::1]:80, "]
)
def test_a_trusted_proxys_visitor_counts_whatever_the_visitor_claims(
    database_url: str, tmp_path: Path, forged: str
) -> None:
    """As the web server is set up: the last address that no proxy of ours is."""
    settings = {"trusted_proxies": "10.0.0.0/8"}
    app = ProxyHeadersMiddleware(
        create_shop(installation(database_url, tmp_path, **settings)), trusted_hosts="10.0.0.0/8"
    )

    def by_proxy(visitor: str) -> bool:
        headers = {"x-forwarded-for": f"{forged}{visitor}"}
        return client_of(app, PROXY, **headers).get("/search").status_code == 429

    assert [by_proxy(VISITOR) for _ in range(6)] == [False] * 4 + [True] * 2
    assert not by_proxy("203.0.113.8")
    assert not by_proxy("203.0.113.8:4711")


def test_a_household_has_one_limit_whatever_address_it_takes(shop: FastAPI) -> None:
    refused = [statuses(client_of(shop, f"2001:db8:1:2::{n:x}"), "/search", 1)[0] for n in range(6)]
    assert refused == [False] * 4 + [True] * 2
    assert statuses(client_of(shop, "2001:db8:1:3::1"), "/search", 1) == [False]


def test_wrong_keys_are_slowed_and_right_ones_are_not(database_url: str, tmp_path: Path) -> None:
    installed = installation(database_url, tmp_path)
    app = create_backoffice(installed)
    with installed.database.platform() as tx:
        key = create_operator_key(tx, "ada", None)
    right = client_of(app, authorization=f"Bearer {key}")
    assert statuses(right, "/v1/stewardship/reviews", 10) == [False] * 10
    wrong = client_of(app, authorization="Bearer cok_wrong")
    assert [wrong.get("/v1/stewardship/reviews").status_code for _ in range(5)] == [401] * 3 + [
        429
    ] * 2
    refused = wrong.get("/v1/stewardship/reviews")
    assert refused.json()["code"] == "too_many_requests"
    assert refused.headers["retry-after"]
    other = client_of(app, "203.0.113.8", authorization=f"Bearer {key}")
    assert statuses(other, "/v1/stewardship/reviews", 1) == [False]
    assert client_of(app).get("/healthz").status_code == 200


def test_the_sign_in_is_slowed_in_words(database_url: str, tmp_path: Path) -> None:
    app = create_backoffice(installation(database_url, tmp_path))
    client = client_of(app, **{"accept-language": "de"})
    tried = [client.post("/sign-in", data={"key": "cok_wrong"}) for _ in range(4)]
    assert [answer.status_code for answer in tried] == [401, 401, 401, 429]
    assert "zu viele falsche Schlüssel" in tried[-1].text
    assert tried[-1].headers["retry-after"]
    assert client.get("/sign-in").status_code == 200


def test_processes_with_one_redis_count_together_and_alone_without_it(
    database_url: str, tmp_path: Path, redis_server: RedisServer
) -> None:
    url = {"redis_url": redis_server.url}
    shops = [
        client_of(create_shop(installation(database_url, tmp_path / str(n), **url)))
        for n in range(2)
    ]
    refused = [statuses(shops[n % 2], "/basket", 1)[0] for n in range(6)]
    assert refused == [False] * 3 + [True] * 3
    redis_server.kill()
    assert statuses(shops[0], "/checkout", 4) == [False] * 2 + [True] * 2
    assert statuses(shops[1], "/checkout", 1) == [False]


def test_the_gate_stands_behind_the_brand_and_before_the_work(shop: FastAPI) -> None:
    names = [each.cls.__name__ for each in shop.user_middleware]
    assert names.index("BrandGate") < names.index("CrossOrigin") < names.index(CallGate.__name__)
    assert names.index(CallGate.__name__) < names.index("Failures")
