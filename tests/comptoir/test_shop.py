"""The shop's application as it is composed: what it does without a payment provider."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from comptoir.installation import Installation
from comptoir.shop import create_shop
from kernel.settings import Settings
from tenants.brand import read_brand_file
from tenants.registry import apply_brand
from tests.conftest import fresh_database

BUNDLED = Path(__file__).resolve().parents[2] / "tenants" / "bundled"


@pytest.fixture(scope="module")
def client(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    settings = Settings(
        comptoir_data=tmp_path_factory.mktemp("data"),
        database_url=fresh_database(postgres_url),
        brand_by_query=True,
    )
    installation = Installation(settings)
    for name in ("mirabelle", "taktwerk"):
        document, terms = read_brand_file(BUNDLED / f"{name}.toml")
        with installation.database.platform() as tx:
            apply_brand(tx, document, terms)
    return TestClient(create_shop(installation))


def test_a_shop_without_a_payment_provider_opens_and_says_what_it_cannot_do(
    client: TestClient,
) -> None:
    assert client.get("/healthz").text == "ready\n"
    assert client.get("/legal/notice").status_code == 200
    assert client.get("/basket").status_code == 503
    refused = client.post("/v1/purchases", json={})
    assert refused.status_code == 503
    assert refused.json()["code"] == "payment_not_configured"


def test_a_brand_without_an_index_says_so_and_does_not_break(client: TestClient) -> None:
    for language, said in (
        ("en", "is being filled"),
        ("fr", "se remplit"),
        ("de", "wird gerade eingeräumt"),
    ):
        page = client.get(f"/search?q=x&lang={language}")
        assert page.status_code == 503
        assert said in page.text
    assert client.get("/v1/search?q=x").json()["code"] == "index_missing"


def test_the_brand_is_the_hosts_or_the_one_asked_for(client: TestClient) -> None:
    for brand, name in (("mirabelle", "Mirabelle"), ("taktwerk", "Taktwerk")):
        by_host = client.get("/legal/notice", headers={"host": f"{brand}.localhost:8000"})
        by_query = client.get(f"/legal/notice?brand={brand}")
        assert f'data-brand="{brand}"' in by_host.text
        assert f'data-brand="{brand}"' in by_query.text
        assert name in by_host.text
    unknown = client.get("/legal/notice?brand=nobody")
    assert unknown.status_code == 404
    assert "'nobody'" in unknown.text
    assert "brand" not in unknown.cookies


def test_a_host_that_no_brand_has_is_told_so(postgres_url: str, tmp_path: Path) -> None:
    settings = Settings(comptoir_data=tmp_path, database_url=fresh_database(postgres_url))
    client = TestClient(create_shop(Installation(settings)))
    # Whoever looks whether the process answers knows an address, and no brand's name.
    assert client.get("/healthz", headers={"host": "127.0.0.1:8000"}).text == "ready\n"
    for speaks, said in (
        ("pt", "No shop answers under the name 'nobody.example'."),
        ("fr-CH, de;q=0.5", "Aucune boutique ne répond sous le nom 'nobody.example'."),
        ("de", "Unter dem Namen 'nobody.example' antwortet kein Shop."),
    ):
        answer = client.get("/", headers={"host": "nobody.example", "accept-language": speaks})
        assert answer.status_code == 404
        assert answer.text == said


def test_cookies_and_headers_are_those_of_a_careful_shop(client: TestClient) -> None:
    answer = client.get("/legal/notice?lang=de&scheme=dark&brand=mirabelle")
    cookies = answer.headers.get_list("set-cookie")
    assert {cookie.partition("=")[0] for cookie in cookies} == {"brand", "lang", "scheme"}
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in cookies)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "Cookie" in answer.headers["vary"]
    assert (
        client.post("/basket/lines", headers={"origin": "http://evil.example"}).status_code == 403
    )


def test_a_provider_may_send_the_browser_back_by_a_form_and_nobody_else(
    postgres_url: str, tmp_path: Path
) -> None:
    settings = Settings(
        comptoir_data=tmp_path,
        database_url=fresh_database(postgres_url),
        payment_provider="sips",
        payment_url="https://payment-webinit.bank.example",
        payment_api_key=SecretStr("1:key"),
        payment_webhook_secret=SecretStr("1:key"),
    )
    installation = Installation(settings)
    document, terms = read_brand_file(BUNDLED / "mirabelle.toml")
    with installation.database.platform() as tx:
        apply_brand(tx, document, terms)
    browser = TestClient(create_shop(installation), follow_redirects=False)
    page = "https://payment-web.bank.example"
    headers = {"host": "mirabelle.localhost:8000", "origin": page, "sec-fetch-site": "cross-site"}
    back = browser.post("/pay/return/pur_1", headers=headers, data={"Data": "responseCode=00"})
    assert (back.status_code, back.headers["location"]) == (303, "/pay/return/pur_1")
    assert browser.post("/basket/lines/off_1", headers=headers).status_code == 403
    shown = browser.get("/basket", headers={"host": "mirabelle.localhost:8000"})
    policy = shown.headers["content-security-policy"]
    (targets,) = (rule for rule in policy.split(";") if "form-action" in rule)
    assert page in targets.split()
