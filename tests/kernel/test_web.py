"""The edge every application shares: headers, same-site writes, bounded bodies."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from kernel.errors import DomainError
from kernel.web import BodyLimit, SafeHeaders, SameSiteWrites, problem_response

written: list[bytes] = []


async def _read(_: Request) -> PlainTextResponse:
    return PlainTextResponse("read")


async def _write(request: Request) -> PlainTextResponse:
    written.append(await request.body())
    return PlainTextResponse("written")


async def _refuse(_: Request) -> PlainTextResponse:
    raise DomainError("no_stock", "Nothing is left.", hint="Choose another offer.", status=409)


@pytest.fixture
def client() -> TestClient:
    written.clear()
    routes = [
        Route("/", _read),
        Route("/write", _write, methods=["POST"]),
        Route("/webhooks/x", _write, methods=["POST"]),
        Route("/refuse", _refuse),
    ]
    app = Starlette(routes=routes, exception_handlers={DomainError: problem_response})
    app.add_middleware(SafeHeaders, payment_hosts=("https://pay.example",))
    app.add_middleware(BodyLimit, limit=1000)
    app.add_middleware(SameSiteWrites, exempt=("/webhooks/",))
    return TestClient(app, base_url="http://shop.example")


def test_pages_cannot_be_framed_sniffed_or_scripted(client: TestClient) -> None:
    headers = client.get("/").headers
    policy = headers["content-security-policy"]
    for directive in (
        "default-src 'none'",
        "script-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self' https://pay.example",
    ):
        assert directive in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://shop.example"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://shop.example", "sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_only_this_site_may_write(client: TestClient, headers: dict[str, str], status: int) -> None:
    answer = client.post("/write", content=b"x", headers=headers)
    assert answer.status_code == status
    assert written == ([b"x"] if status == 200 else [])


def test_reading_and_signed_webhooks_are_open_to_others(client: TestClient) -> None:
    foreign = {"origin": "http://evil.example"}
    assert client.get("/", headers=foreign).status_code == 200
    assert client.post("/webhooks/x", content=b"e", headers=foreign).status_code == 200


def test_a_body_past_the_limit_is_refused_by_statement_and_by_count(client: TestClient) -> None:
    assert client.post("/write", content=b"x" * 1001).status_code == 413
    chunks = (b"x" * 100 for _ in range(11))
    assert client.post("/write", content=chunks).status_code == 413
    assert written == []


def test_a_body_that_grows_too_large_is_said_to_be_whatever_the_application_catches() -> None:
    async def read_and_catch(request: Request) -> PlainTextResponse:
        try:
            await request.body()
        except Exception:  # noqa: BLE001 - as frameworks do
            return PlainTextResponse("a failure of ours", 500)
        return PlainTextResponse("read")

    app = Starlette(routes=[Route("/write", read_and_catch, methods=["POST"])])
    app.add_middleware(BodyLimit, limit=1000)
    chunks = (b"x" * 100 for _ in range(11))
    answer = TestClient(app).post("/write", content=chunks)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_refusals_are_problem_json(client: TestClient) -> None:
    answer = client.get("/refuse")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "no_stock"
    assert answer.json()["detail"] == "Choose another offer."
