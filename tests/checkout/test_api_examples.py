"""The examples of the purchase in the OpenAPI document: what they send is taken, what they show is
what comes back.
"""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from openapi_spec_validator import validate
from pydantic import BaseModel

from checkout.states import LegState, MoneyState
from checkout.web.api import CancellationAsked, PurchaseAsked, QuoteAsked
from checkout.web.openapi import ANSWERS, BODIES, REFUSALS
from comptoir.refusals import add_refusals
from tenants.terms import Party, publish_terms
from tests.checkout.shop_visits import purchase_body, quoted, shelve
from tests.purchase_setting import Setting
from tests.small_merchant import SmallMerchant

MODELS: dict[str, type[BaseModel]] = {
    "quote": QuoteAsked,
    "purchase": PurchaseAsked,
    "cancellation": CancellationAsked,
}
OPERATIONS = {
    "quote": ("/v1/quotes", "post"),
    "purchase": ("/v1/purchases", "post"),
    "order": ("/v1/orders/{signed_ref}", "get"),
    "cancellation": ("/v1/orders/{signed_ref}/cancellations", "post"),
}


@pytest.mark.parametrize("name", MODELS)
def test_every_body_is_taken(name: str) -> None:
    MODELS[name].model_validate(BODIES[name])


def test_every_operation_shows_its_examples(setting: Setting) -> None:
    app = setting.client().app
    assert isinstance(app, FastAPI)
    document = app.openapi()
    validate(document)
    for name, (path, method) in OPERATIONS.items():
        operation = document["paths"][path][method]
        (good,) = [code for code in operation["responses"] if code.startswith("2")]
        content = operation["responses"][good]["content"]["application/json"]
        assert content["example"] == stated(ANSWERS[name])
        if name in BODIES:
            body = operation["requestBody"]["content"]["application/json"]
            assert body["example"] == BODIES[name]
            assert "$ref" in body["schema"]


def test_what_cannot_be_read_is_answered_as_the_document_says(setting: Setting) -> None:
    client = setting.client()
    assert isinstance(client.app, FastAPI)
    add_refusals(client.app)
    document = client.app.openapi()
    assert "ValidationError" not in str(document["components"])
    said = REFUSALS[422]["content"]["application/problem+json"]
    for path, method in OPERATIONS.values():
        declared = document["paths"][path][method]["responses"]["422"]["content"]
        assert declared == {"application/problem+json": said}
        if method == "post":
            answer = client.post(path, json={"someone@example.org": 1})
            assert (answer.status_code, answer.headers["content-type"]) == (422, *declared)
            problem = answer.json()
            assert problem["code"] == said["example"]["code"]
            assert set(problem) == set(said["example"]) == set(said["schema"]["properties"])


def test_answers_have_the_shape_that_is_shown(setting: Setting, merchant: SmallMerchant) -> None:
    with setting.database.platform() as tx:
        publish_terms(tx, "norden", "fr", "Conditions de Norden.", party=Party.MERCHANT)
    client = setting.client()
    quote = quoted(client, shelve(setting, merchant)).json()
    assert shape(quote) == shape(ANSWERS["quote"])
    order = client.post("/v1/purchases", json=purchase_body(quote)).json()
    assert shape(order) == shape(ANSWERS["order"])
    (leg,) = ANSWERS["order"]["legs"]
    assert leg["state"] in set(LegState)
    assert leg["money"] in set(MoneyState)
    assert {row["name"] for row in leg["steps"]} <= {
        row["name"] for row in order["legs"][0]["steps"]
    }


def shape(value: Any) -> Any:
    """Names all the way down; of a list its first entry."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value[:1]]
    return "value"


def stated(value: Any) -> Any:
    """Without what is null, as the document has it."""
    if isinstance(value, dict):
        return {name: stated(each) for name, each in value.items() if each is not None}
    return [stated(each) for each in value] if isinstance(value, list) else value
