"""Every route of both web applications, found in the applications themselves: a new one that has no
declared right, or answers without the headers of a careful shop, fails here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr
from starlette.testclient import TestClient

from comptoir.backoffice import create_backoffice
from comptoir.installation import Installation
from comptoir.shop import create_shop
from kernel.settings import Settings
from tenants.brand import read_brand_file
from tenants.merchant_keys import create_key
from tenants.operator_keys import create_operator_key
from tenants.registry import apply_brand
from tests.conftest import fresh_database

BUNDLED = Path(__file__).resolve().parents[2] / "tenants" / "bundled"
ANYBODY = ("/healthz", "/openapi.json", "/sign-in", "/office/", "/drawings/")
"""What the back office shows to who has no key: its description, look and drawings. `/` leads to a
page that wants one."""
MERCHANTS = "/v1/merchants/"
OF_A_BRAND = "/v1/ranking/"
"""Where the key of one brand may act; elsewhere only a key of the platform."""
SIGNED = ("/webhooks/", "/pay/return/")
READING = ("/v1/search", "/v1/suggest", "/v1/instantsearch", "/v1/events", "/1/indexes/")
"""Calls that change nothing in anybody's name, open to other sites that the brand names."""
ELSEWHERE = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}


@pytest.fixture(scope="module")
def installation(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    installed = Installation(
        Settings(
            comptoir_data=tmp_path_factory.mktemp("data"),
            database_url=fresh_database(postgres_url),
            payment_url="http://127.0.0.1:9",
            payment_api_key=SecretStr("key"),
            payment_webhook_secret=SecretStr("secret"),
            limit_wrong_keys=0,
        )
    )
    for name in ("mirabelle", "taktwerk"):
        with installed.database.platform() as tx:
            apply_brand(tx, *read_brand_file(BUNDLED / f"{name}.toml"))
    return installed


@pytest.fixture(scope="module")
def shop(installation: Installation) -> FastAPI:
    return create_shop(installation)


@pytest.fixture(scope="module")
def backoffice(installation: Installation) -> FastAPI:
    return create_backoffice(installation)


def calls(app: FastAPI) -> list[tuple[str, str]]:
    """Method and address of every route, with something in the place of each parameter."""
    found = set()
    for context in iter_route_contexts(app.routes):
        assert context.path is not None, context
        address = re.sub(r"\{[^}]*\}", "1", context.path)
        found |= {(method, address) for method in context.methods or {"GET"} if method != "HEAD"}
    assert len(found) > 20, "the routes were not found"
    return sorted(found)


def visitor(app: FastAPI, headers: dict[str, str] | None = None) -> TestClient:
    return TestClient(
        app,
        base_url="https://mirabelle.localhost",
        headers=headers,
        follow_redirects=False,
        raise_server_exceptions=False,
    )


def written(installation: Installation) -> list[tuple[str, int]]:
    """How many rows each table has."""
    with installation.database.engine.connect() as connection:
        tables = connection.execute(
            sa.text(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname "
                "NOT IN ('pg_catalog', 'information_schema')"
            )
        ).scalars()
        return [
            (table, connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one())
            for table in tables
        ]


def test_the_back_office_answers_nobody_without_a_key(
    installation: Installation, backoffice: FastAPI
) -> None:
    """API: 401. Pages: the way to the sign-in. And nothing was written."""
    before = written(installation)
    open_to_all = []
    with visitor(backoffice) as client:
        for method, address in calls(backoffice):
            answer = client.request(method, address, json={} if method != "GET" else None)
            if address.startswith(ANYBODY):
                continue
            leads = answer.headers.get("location", "")
            refused = answer.status_code == 401 or (
                answer.status_code == 303 and leads.startswith(("/sign-in", "/stewardship"))
            )
            if not refused:
                open_to_all.append((method, address, answer.status_code))
    assert open_to_all == []
    assert written(installation) == before


def test_a_key_opens_what_it_is_for_and_nothing_else(
    installation: Installation, backoffice: FastAPI
) -> None:
    with installation.database.platform() as tx:
        keys = {
            "merchant": create_key(tx, "maison-oscar"),
            "brand": create_operator_key(tx, "Ann", "mirabelle"),
            "platform": create_operator_key(tx, "Bob"),
        }
    wrong = []
    for holder, key in keys.items():
        with visitor(backoffice, {"authorization": f"Bearer {key}"}) as client:
            for method, address in calls(backoffice):
                if not address.startswith("/v1/"):
                    continue  # pages want a session, never a key
                status = client.request(method, address).status_code
                mine = address.startswith(MERCHANTS) == (holder == "merchant")
                if not mine and status not in (401, 403):
                    wrong.append((holder, method, address, status))
                if mine and holder != "brand" and status in (401, 403):
                    wrong.append((holder, method, address, status))
                # Of a brand's key a wrong body may be named first; an answer is never given.
                elsewhere = not address.startswith((OF_A_BRAND, MERCHANTS))
                if holder == "brand" and elsewhere and status not in (403, 422):
                    wrong.append((holder, method, address, status))
    assert wrong == []


@pytest.mark.parametrize("application", ["shop", "backoffice"])
def test_every_answer_has_the_headers_of_a_careful_shop(
    application: str, request: pytest.FixtureRequest
) -> None:
    app: FastAPI = request.getfixturevalue(application)
    missing = []
    with visitor(app) as client:
        asked = [*calls(app), ("GET", "/not-here"), ("DELETE", "/"), ("GET", "/static/not-here")]
        for method, address in asked:
            answer = client.request(method, address)
            headers = answer.headers
            policy = headers.get("content-security-policy", "")
            good = (
                all(part in policy for part in ("object-src 'none'", "base-uri 'none'"))
                and "frame-ancestors 'none'" in policy
                and "unsafe" not in policy
                and headers.get("x-content-type-options") == "nosniff"
                and headers.get("strict-transport-security", "").startswith("max-age=")
                and headers.get("referrer-policy") == "same-origin"
            )
            careless = [
                cookie
                for cookie in headers.get_list("set-cookie")
                if "Secure" not in cookie or "HttpOnly" not in cookie
            ]
            if not good or careless or answer.status_code == 500:
                missing.append((method, address, answer.status_code, *careless))
    assert missing == []


@pytest.mark.parametrize("application", ["shop", "backoffice"])
def test_no_other_site_writes_in_a_visitors_name(
    installation: Installation, application: str, request: pytest.FixtureRequest
) -> None:
    app: FastAPI = request.getfixturevalue(application)
    before = written(installation)
    by_key = ("/v1/",) if application == "backoffice" else ()
    accepted = []
    with visitor(app, ELSEWHERE) as client:
        for method, address in calls(app):
            if method == "GET" or address.startswith((*SIGNED, *READING, *by_key)):
                continue
            status = client.request(method, address).status_code
            if status != 403:
                accepted.append((method, address, status))
    assert accepted == []
    assert written(installation) == before
