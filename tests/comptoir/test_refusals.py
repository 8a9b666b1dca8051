"""An address nobody knows and a failure nobody expected: a page for people, JSON for programs."""

from __future__ import annotations

import logging
import re
import tomllib
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from checkout.signed_links import OrderLinks
from comptoir.refusals import add_refusals
from kernel.ids import drawn_id
from kernel.web import BodyLimit, SafeHeaders
from tenants.brand import brand_from
from tenants.pages.rendering import page_environment

BUNDLED = Path(__file__).resolve().parents[2] / "tenants" / "bundled"


class _OneBrand:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.brand = brand_from(tomllib.loads((BUNDLED / "mirabelle.toml").read_text("utf-8")))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {}).update(brand=self.brand, language="en", scheme="auto")
        await self.app(scope, receive, send)


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    email: str


def thing(asked: Thing) -> None:
    del asked


@pytest.fixture
def client() -> TestClient:
    app = FastAPI(docs_url=None)
    app.state.pages = page_environment(["search_api.pages"])

    def fail() -> None:
        raise ZeroDivisionError

    def numbered(version: int, text: str = "") -> None:
        del version, text

    async def body(request: Request) -> None:
        await request.body()

    def kept() -> None:
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")

    for path in ("/terms", "/v1/terms"):
        app.add_api_route(path, numbered, methods=["GET"])
    app.add_api_route("/v1/read", body, methods=["POST"])
    app.add_api_route("/v1/things", thing, methods=["POST"])
    for path in ("/kept", "/v1/kept"):
        app.add_api_route(path, kept, methods=["GET"])

    def without_database() -> None:
        reason = psycopg.OperationalError("connection refused")
        raise sa.exc.OperationalError(None, None, reason)

    def without_writing() -> None:
        reason = psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT")
        raise sa.exc.InternalError(None, None, reason)

    for path in ("/basket/lines", "/pay/return/y", "/v1/purchases"):
        app.add_api_route(path, without_writing, methods=["GET"])
    for path in ("/basket", "/pay/return/x", "/v1/quotes"):
        app.add_api_route(path, without_database, methods=["GET"])
    for path in ("/broken", "/checkout/confirm", "/v1/broken", "/order/{signed}"):
        app.add_api_route(path, fail, methods=["GET"])
    add_refusals(app)
    app.add_middleware(_OneBrand)
    app.add_middleware(BodyLimit, limit=1_000_000)
    app.add_middleware(SafeHeaders)
    return TestClient(app)


def test_an_unknown_address_is_a_page_with_a_way_on(client: TestClient) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "This page is not here" in answer.text
    assert client.get("/v1/nowhere").json()["code"] == "address_unknown"
    assert client.post("/v1/broken").json()["code"] == "method_unknown"


def test_an_address_that_only_takes_forms_is_a_page_too(client: TestClient) -> None:
    """Whoever presses Enter in the address of such a page asks for it anew."""
    answer = client.post("/broken")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert "This page is not here" in answer.text


def test_a_failure_has_a_reference_that_stands_in_the_log(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "comptoir.shop"):
        answer = client.get("/broken")
    assert answer.status_code == 500
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    reference = caplog.records[-1].getMessage().split()[1]
    assert reference in answer.text
    assert "ZeroDivisionError" not in answer.text
    assert "no money moved" in answer.text


def test_a_failure_at_an_order_leaves_nothing_in_the_log_that_opens_it(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    order_ref = drawn_id("ord")
    signed = OrderLinks(b"a secret").order("mirabelle", order_ref)
    with caplog.at_level(logging.ERROR, "comptoir.shop"):
        assert client.get(f"/order/{signed}").status_code == 500
    assert f"/order/{order_ref}" in caplog.text
    assert signed.rpartition(".")[2] not in caplog.text


def test_where_money_may_have_moved_nothing_is_denied(client: TestClient) -> None:
    text = client.get("/checkout/confirm").text
    assert "no money moved" not in text
    assert "Do not order again" in text


def test_programs_get_problem_json(client: TestClient) -> None:
    answer = client.get("/v1/broken")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "internal"


def test_a_request_that_cannot_be_read_is_a_page_or_a_problem(client: TestClient) -> None:
    page = client.get("/terms?version=abc")
    assert page.status_code == 404
    assert "This page is not here" in page.text
    answer = client.get("/v1/terms?version=abc")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "request_invalid"
    assert "version" in answer.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [b'{"email": NaN}', b'{"x": 1e400}', b'{"\\ud800": 1}', b'{"email": 7, "\\ud800": "\\ud800"}'],
)
def test_what_json_cannot_carry_back_is_refused_and_no_failure(
    client: TestClient, body: bytes
) -> None:
    answer = client.post("/v1/things", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")


def test_what_was_sent_is_never_sent_back(client: TestClient) -> None:
    answer = client.post("/v1/things", json={"mail": "someone@example.org", "x": "y" * 100_000})
    assert answer.status_code == 422
    assert "someone" not in answer.text
    assert len(answer.content) < 2_000


def test_a_body_nested_beyond_reading_is_a_malformed_request(client: TestClient) -> None:
    body = b"[" * 100_000
    answer = client.post("/v1/things", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "request_invalid")


def test_a_body_that_grows_too_large_is_no_failure(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.post("/v1/read", content=(b"x" * 100_000 for _ in range(11)))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert caplog.records == []


def test_a_value_that_the_database_has_no_place_for_is_the_callers(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    answer = client.get("/v1/kept")
    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")
    assert client.get("/kept").status_code == 404
    assert caplog.records == []


def test_a_database_that_is_away_is_said_to_be_and_costs_the_log_a_line(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    basket, back, program = (
        client.get(path) for path in ("/basket", "/pay/return/x", "/v1/quotes")
    )
    for answer in (basket, back, program):
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
    assert "no money moved" in basket.text
    # Where money may have moved nobody denies it.
    assert "no money moved" not in back.text
    assert "Do not order again" in back.text
    assert program.json()["code"] == "database_away"
    assert [record.exc_info for record in caplog.records] == [None] * 3
    for answer, record in zip((basket, back), caplog.records, strict=False):
        assert re.findall(r"failure (\w+) at", record.message)[0] in answer.text


def test_a_shop_that_changes_nothing_says_so_and_is_no_failure(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    basket, back, program = (
        client.get(path) for path in ("/basket/lines", "/pay/return/y", "/v1/purchases")
    )
    assert {answer.status_code for answer in (basket, back, program)} == {503}
    assert "No orders are taken right now" in basket.text
    # Who comes back from paying may have an order: nobody is told that nothing was charged.
    assert "Do not order again" in back.text
    assert "nothing was charged" not in back.text
    assert program.json()["code"] == "read_only"
    assert caplog.records == []
