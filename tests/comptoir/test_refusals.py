"""An address nobody knows and a failure nobody expected: a page for people, JSON for programs."""

from __future__ import annotations

import logging
import tomllib
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from comptoir.refusals import add_refusals
from kernel.web import SafeHeaders
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


@pytest.fixture
def client() -> TestClient:
    app = FastAPI(docs_url=None)
    app.state.pages = page_environment(["search_api.pages"])

    def fail() -> None:
        raise ZeroDivisionError

    for path in ("/broken", "/checkout/confirm", "/v1/broken"):
        app.add_api_route(path, fail, methods=["GET"])
    add_refusals(app)
    app.add_middleware(_OneBrand)
    app.add_middleware(SafeHeaders)
    return TestClient(app)


def test_an_unknown_address_is_a_page_with_a_way_on(client: TestClient) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "This page is not here" in answer.text
    assert client.get("/v1/nowhere").json()["code"] == "address_unknown"
    assert client.post("/broken").json()["code"] == "method_unknown"


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


def test_where_money_may_have_moved_nothing_is_denied(client: TestClient) -> None:
    text = client.get("/checkout/confirm").text
    assert "no money moved" not in text
    assert "Do not order again" in text


def test_programs_get_problem_json(client: TestClient) -> None:
    answer = client.get("/v1/broken")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "internal"
