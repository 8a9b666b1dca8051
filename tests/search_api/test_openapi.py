"""The OpenAPI document is valid, whole and true: its examples are sent, its answers checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx2
import jsonschema
import pytest
from openapi_spec_validator import validate

from tenants.partner_keys import create_partner_key
from tests.search_api.real_shop import RealShop

OURS = ("/v1/search", "/v1/products/{product_id}", "/v1/events", "/v1/suggest",
        "/v1/instantsearch", "/v1/export", "/v1/export/changes")  # fmt: skip


@pytest.fixture(scope="module")
def client(shop: RealShop) -> Iterator[httpx2.Client]:
    with shop.installation.database.platform() as tx:
        key = create_partner_key(tx, "mirabelle", "document")
    with shop.client(authorization=f"Bearer {key}") as opened:
        yield opened


@pytest.fixture(scope="module")
def document(client: httpx2.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def schema_of(document: dict[str, Any], operation: dict[str, Any], status: str) -> dict[str, Any]:
    """The schema of an answer, with what it refers to."""
    schema = operation["responses"][status]["content"]["application/json"]["schema"]
    return {**schema, "components": document["components"]}


def check(document: dict[str, Any], operation: dict[str, Any], answer: httpx2.Response) -> None:
    schema = schema_of(document, operation, str(answer.status_code))
    jsonschema.Draft202012Validator(schema).validate(answer.json())


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)
    assert set(OURS) <= set(document["paths"])


@pytest.mark.parametrize("path", OURS)
def test_every_operation_is_described_with_examples(document: dict[str, Any], path: str) -> None:
    for method, operation in document["paths"][path].items():
        assert operation["description"], (method, path)
        good = next(status for status in operation["responses"] if status.startswith("2"))
        content = operation["responses"][good]["content"]["application/json"]
        schema = schema_of(document, operation, good)
        assert schema
        if method == "post":
            body = operation["requestBody"]["content"]["application/json"]
            assert body["examples"]
            for example in body["examples"].values():
                jsonschema.Draft202012Validator(body["schema"]).validate(example["value"])
        if "example" in content:
            jsonschema.Draft202012Validator(schema).validate(content["example"])
        else:
            assert method == "post", f"{path} shows no answer"


def test_examples_of_bodies_are_answered_as_described(
    client: httpx2.Client, document: dict[str, Any]
) -> None:
    answer = client.post("/v1/search", json={"q": "lampe"}).json()
    true_ids = {"query_id": answer["query_id"], "product_id": answer["products"][0]["id"]}
    for path in ("/v1/search", "/v1/events", "/v1/instantsearch"):
        operation = document["paths"][path]["post"]
        examples = operation["requestBody"]["content"]["application/json"]["examples"]
        for name, example in examples.items():
            body = example["value"]
            for event in body.get("events", ()):
                event.update(true_ids)
            got = client.post(path, json=body)
            assert got.status_code < 300, (path, name, got.text)
            check(document, operation, got)
            if path == "/v1/events":
                assert got.json()["accepted"] == len(body["events"])


def test_examples_of_parameters_are_answered_as_described(
    client: httpx2.Client, document: dict[str, Any]
) -> None:
    operation = document["paths"]["/v1/search"]["get"]
    for parameter in operation["parameters"]:
        query = urlencode({parameter["name"]: parameter["example"]}, doseq=True)
        got = client.get(f"/v1/search?{query}")
        assert got.status_code == 200
        assert got.json()["ignored"] == [], parameter["name"]
        check(document, operation, got)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/v1/products/{product_id}", "/v1/products/prd_book64"),
        ("/v1/suggest", "/v1/suggest?q=nor"),
        ("/v1/suggest", "/v1/suggest"),
        ("/v1/export", "/v1/export?limit=2"),
        ("/v1/search", "/v1/search?q=nordlys&explain=1"),
        ("/v1/search", "/v1/search?q=xqzvw"),
        ("/v1/search", "/v1/search?q=nordlys&price_max=1"),
    ],
)
def test_answers_are_as_described(
    client: httpx2.Client, document: dict[str, Any], path: str, asked: str
) -> None:
    got = client.get(asked)
    assert got.status_code == 200, got.text
    check(document, document["paths"][path]["get"], got)


def test_refusals_are_as_described(client: httpx2.Client, document: dict[str, Any]) -> None:
    responses = document["paths"]["/v1/search"]["post"]["responses"]
    for status, got in (
        ("404", client.get("/v1/products/prd_none")),
        ("400", client.post("/v1/search", content=b"{")),
        ("422", client.post("/v1/search", json={"page": 0})),
    ):
        assert str(got.status_code) == status
        content = responses[status]["content"]["application/problem+json"]
        jsonschema.Draft202012Validator(content["schema"]).validate(got.json())
        jsonschema.Draft202012Validator(content["schema"]).validate(content["example"])
