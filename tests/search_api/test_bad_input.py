"""Anything that anybody may send, over HTTP, on both engines: a clear answer, never a failure,
never anything of another brand. And an engine that is away, slow, or empty.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_from_bytes

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.search_api.real_shop import SECRET, real_shop

FUZZ = settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NAMES = (
    "q", "category", "manufacturer", "merchant", "availability", "price_min", "price_max", "sort",
    "page", "per_page", "explain", "lang", "from", "limit", "cursor", "q[]",
)  # fmt: skip
BYTES = st.binary(max_size=60) | st.text(max_size=60).map(
    lambda text: text.encode("utf-8", "surrogatepass")
)
TELLING = st.sampled_from(
    [b"328", b"-1", b"0", b"9" * 30, b"1e9", b"*", b"NOT", b'"', b"darti", b"elektrohaus", b"%00",
     SECRET.encode(), SECRET.lower().encode() + b"werk", b"prd_de01", b"in_stock", b"<script>"]
)  # fmt: skip
PAIRS = st.lists(st.tuples(st.sampled_from(NAMES), BYTES | TELLING), max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["q", "filters", "facets", "sort", "page", "per_page", "language",
                         "requests", "indexName", "params", "facetFilters", "numericFilters",
                         "query", "events", "kind", "query_id", "position", "product_id"])
        | st.text(max_size=5),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@pytest.fixture(
    scope="module",
    params=["embedded", pytest.param("elasticsearch", marks=pytest.mark.elasticsearch)],
)
def client(
    request: pytest.FixtureRequest,
    postgres_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[httpx2.Client]:
    """The first brand's shop on each engine; every answer is made anew."""
    given: dict[str, Any] = {"answer_cache_ms": 0}
    if request.param == "elasticsearch":
        given["elasticsearch_url"] = request.getfixturevalue("elasticsearch_url")
    with (
        real_shop(postgres_url, tmp_path_factory.mktemp("fuzzed"), **given) as shop,
        shop.client() as opened,
    ):
        yield opened


def patiently(client: httpx2.Client, method: str, path: str, **said: Any) -> httpx2.Response:
    """Asked again where an engine under the load of other tests has no time: it says so by 503."""
    for _ in range(10):
        answer = client.request(method, path, **said)
        if answer.status_code != 503:
            break
        time.sleep(1)
    return answer


def checked(answer: httpx2.Response) -> httpx2.Response:
    """Answered or refused in words; never a failure, never a product of the other brand."""
    assert answer.status_code < 500, answer.text
    assert "Traceback" not in answer.text
    if answer.status_code >= 400 and answer.url.path.startswith("/v1/"):
        assert answer.json()["code"], answer.text
    if answer.url.path == "/v1/search" and answer.status_code == 200:
        said = answer.json()
        assert not any(row["id"].startswith("prd_de") for row in said["products"])
        assert not any(
            value["count"]
            for facet in said["facets"]
            for value in facet["values"]
            if SECRET.lower() in value["value"]
        )
    return answer


@FUZZ
@given(pairs=PAIRS, path=st.sampled_from(["/v1/search", "/search", "/v1/suggest", "/suggest"]))
def test_any_address(client: httpx2.Client, pairs: list[tuple[str, bytes]], path: str) -> None:
    query = "&".join(f"{name}={quote_from_bytes(value)}" for name, value in pairs)
    answer = checked(patiently(client, "GET", f"{path}?{query}"))
    assert answer.status_code == 200, answer.text


@FUZZ
@given(
    body=JSON | st.fixed_dictionaries({"q": st.text(max_size=200)}),
    path=st.sampled_from(["/v1/search", "/v1/events", "/v1/instantsearch"]),
)
def test_any_body(client: httpx2.Client, body: Any, path: str) -> None:
    raw = json.dumps(body, ensure_ascii=True).encode()
    checked(patiently(client, "POST", path, content=raw))


@FUZZ
@given(text=st.text(max_size=210), sort=st.sampled_from(["relevance", "price_asc", "newest"]))
def test_any_words(client: httpx2.Client, text: str, sort: str) -> None:
    raw = json.dumps({"q": text, "sort": sort}).encode("utf-8", "surrogatepass")
    answer = checked(patiently(client, "POST", "/v1/search", content=raw))
    if answer.status_code != 200:
        assert answer.json()["code"] in {"field_invalid", "body_invalid"}
    query = {"requests": [{"indexName": "products", "params": {"query": text, "facets": ["*"]}}]}
    checked(patiently(client, "POST", "/v1/instantsearch", content=json.dumps(query)))


@FUZZ
@given(
    filters=st.text(max_size=80)
    | st.lists(
        st.sampled_from(["merchant:darti", "AND", "OR", "(", ")", "NOT", "price>5", "price<=9",
                         'manufacturer:"a b"', "category:328", "x", ":", '"']),
        max_size=9,
    ).map(" ".join)
)  # fmt: skip
def test_any_filter_expression(client: httpx2.Client, filters: str) -> None:
    body = {
        "requests": [{"indexName": "products", "params": {"filters": filters, "hitsPerPage": 1}}]
    }
    assert checked(patiently(client, "POST", "/v1/instantsearch", json=body)).status_code in {
        200,
        400,
    }


@pytest.mark.parametrize(
    "path",
    ["/search", "/v1/search", "/v1/suggest"],
)
@pytest.mark.parametrize(
    "query",
    [
        "q=" + "x" * 10_000, "q=" + "%C3%A9+" * 1_500, "q=" + "%00" * 500, "q=%ff%fe%80",
        "q=" + "(" * 500, "q=" + "a+" * 1_000, "&" * 3_000, "page=99999999999999", "page=-1",
        "category=" + "&category=".join(str(n) for n in range(400)), "q=%ED%A0%80", "%ff=%ff",
        "q=..%2F..%2Fetc", "q=%E2%80%AEabc", "q=%7B%22match_all%22%3A%7B%7D%7D", "q=_id:prd_de01",
    ],
)  # fmt: skip
def test_long_and_broken_addresses(client: httpx2.Client, path: str, query: str) -> None:
    assert checked(patiently(client, "GET", f"{path}?{query}")).status_code == 200


def test_another_brands_products_cannot_be_reached(client: httpx2.Client) -> None:
    assert client.get("/v1/products/prd_de01").status_code == 404
    assert client.get("/product/prd_de01").status_code == 404
    for filters in ({"manufacturer": [f"{SECRET.lower()}werk"]}, {"merchant": ["elektrohaus"]}):
        said = client.post("/v1/search", json={"q": SECRET, "filters": filters}).json()
        assert not any(row["id"].startswith("prd_de") for row in said["products"])
    theirs = {"requests": [{"indexName": "taktwerk", "params": {"query": SECRET}}]}
    assert client.post("/v1/instantsearch", json=theirs).status_code == 404
    ours = {"requests": [{"indexName": "products", "params": {"query": SECRET}}]}
    hits = client.post("/v1/instantsearch", json=ours).json()["results"][0]["hits"]
    assert not any(hit["objectID"].startswith("prd_de") for hit in hits)
