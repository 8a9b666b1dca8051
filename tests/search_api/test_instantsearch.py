"""The InstantSearch door, driven by the real `instantsearch.js` and its client in Node."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.search_api.real_shop import PARTNERS_SITE, RealShop

SCRIPTS = Path(__file__).resolve().parents[1] / "instantsearch"


def _missing(what: str) -> None:
    if os.environ.get("COMPTOIR_TEST_REQUIRE_ALL"):
        pytest.fail(f"{what} is required here")
    pytest.skip(f"LEFT OUT: {what} is absent")


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of the lock file, installed once for each state of it."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        _missing("Node with npm")
    lock = (SCRIPTS / "package-lock.json").read_bytes()
    kept = Path(__file__).resolve().parents[2] / ".comptoir" / "test-instantsearch"
    folder = kept / hashlib.sha256(lock).hexdigest()[:16]
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(SCRIPTS / name, folder / name)
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        if done.returncode:
            _missing(f"what the lock file of tests/instantsearch names ({done.stderr[-300:]})")
        (folder / "installed").touch()
    return folder


@pytest.fixture(scope="module")
def visit(shop: RealShop, modules: Path) -> dict[str, Any]:
    """What the front end saw, step by step."""
    script = modules / "visit.mjs"
    shutil.copy(SCRIPTS / "visit.mjs", script)
    done = subprocess.run(
        ["node", script.name, shop.url],
        cwd=modules, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def test_the_front_end_shows_products_facets_and_ranges(visit: dict[str, Any]) -> None:
    start = visit["steps"]["start"]
    assert start["total"] == 64
    assert (start["page"], start["pages"], len(start["ids"])) == (0, 4, 20)
    assert start["positions"][:3] == [1, 2, 3]
    assert {"label": "Nordlys", "count": 3, "isRefined": False} in start["makers"]
    assert {"label": "Darti & Cie", "count": 64} in start["merchants"]
    assert start["range"] == {"min": 10, "max": 853}
    assert start["queryID"].startswith("qry_")


def test_words_are_marked(visit: dict[str, Any]) -> None:
    query = visit["steps"]["query"]
    assert (query["query"], query["total"]) == ("nordlys", 3)
    assert all("<mark>" in text or "__ais-highlight__" in text for text in query["highlighted"])


def test_a_facet_narrows_and_its_other_values_stay(visit: dict[str, Any]) -> None:
    maker = visit["steps"]["maker"]
    assert maker["total"] == 3
    assert {row["label"]: row["isRefined"] for row in maker["makers"]} == {
        "Nordlys": True,
        "Ampère": False,
    }
    assert visit["steps"]["unmaker"]["total"] == 64


def test_categories_are_a_tree(visit: dict[str, Any]) -> None:
    start, inside = visit["steps"]["start"], visit["steps"]["category"]
    top = start["categories"][0]
    assert inside["total"] == top["count"]
    opened = next(row for row in inside["categories"] if row["label"] == top["label"])
    assert opened["below"]
    assert visit["steps"]["uncategory"]["total"] == 64


def test_prices_pages_and_orders(visit: dict[str, Any]) -> None:
    price = visit["steps"]["price"]
    assert price["total"] == 11
    assert all(11 <= value <= 12 for value in price["prices"])
    page = visit["steps"]["page"]
    assert (page["page"], page["positions"][0]) == (1, 21)
    assert not set(page["ids"]) & set(visit["steps"]["unprice"]["ids"])
    cheapest = visit["steps"]["sort"]["prices"]
    assert cheapest == sorted(cheapest)


def test_values_of_a_facet_are_searched(visit: dict[str, Any]) -> None:
    assert visit["steps"]["facet"] == [{"label": "Nordlys", "count": 3}]
    assert [row["value"] for row in visit["facetValues"]["facetHits"]] == ["Voltina"]


def test_the_client_library_alone(visit: dict[str, Any]) -> None:
    hits, facet = visit["direct"]["results"]
    assert (hits["nbHits"], hits["hitsPerPage"], len(hits["hits"])) == (3, 2, 2)
    assert hits["hits"][0]["_highlightResult"]["title"]["value"].startswith("<em>Nordlys</em>")
    assert hits["hits"][0]["_highlightResult"]["title"]["matchLevel"] == "full"
    assert facet["facetHits"] == [{"value": "Ampère", "highlighted": "<em>Ampère</em>", "count": 1}]
    single = visit["single"]
    assert single["nbHits"] == 15
    assert all(hit["price"] < 11.5 for hit in single["hits"])
    assert single["userData"][0]["type"] == "notice"


def test_a_refusal_says_what_is_not_supported(visit: dict[str, Any]) -> None:
    assert visit["refusal"]["status"] == 400
    assert "NOT" in visit["refusal"]["message"]


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((SCRIPTS / "package-lock.json").read_text("utf-8"))
    assert all("resolved" not in entry for entry in lock["packages"].values())
    assert all("integrity" in entry for name, entry in lock["packages"].items() if name)


@pytest.mark.parametrize(
    ("params", "status"),
    [
        (7, 400),
        ({"page": -1}, 400),
        ({"page": 999_999}, 200),
        ({"hitsPerPage": "a"}, 400),
        ({"facetFilters": ["nope:1"]}, 400),
        ({"facetFilters": ["merchant:-darti"]}, 400),
        ({"facetFilters": [["merchant:a", "manufacturer:b"]]}, 400),
        ({"facetFilters": [[["merchant:a"]]]}, 400),
        ({"facetFilters": ["merchant:darti", "merchant:voltina"]}, 400),
        ({"numericFilters": ["price>5", "price<5"]}, 400),
        ({"numericFilters": ["price!=5"]}, 400),
        ({"numericFilters": ["offers>5"]}, 400),
        ({"filters": "(merchant:a"}, 400),
        ({"filters": "((((((((((("}, 400),
        ({"filters": "merchant:darti OR merchant:voltina"}, 200),
        ({"filters": "price:5 TO 11.5"}, 200),
        ({"aroundLatLng": "1,2"}, 400),
        ("query=4006381333931&hitsPerPage=1", 200),
        ("query=true&facets=%5B%22*%22%5D", 200),
        ({"query": "x" * 10_000}, 200),
        ({"query": "\u0000\ud7ff"}, 200),
        ({"query": 7}, 400),
    ],
)
def test_odd_parameters_are_answered_or_refused_by_name(
    shop: RealShop, params: Any, status: int
) -> None:
    with shop.client() as client:
        body = {"requests": [{"indexName": "products", "params": params}]}
        answer = client.post("/v1/instantsearch", json=body)
    assert answer.status_code == status, answer.text
    if status == 400:
        assert answer.json()["message"]


@pytest.mark.parametrize("name", ["", "product", "voltina", "products_price", "*", "taktwerk", 7])
def test_an_index_that_is_not_there_is_refused_at_every_path(shop: RealShop, name: Any) -> None:
    """One unknown name refuses the whole call, as the client's own service does."""
    good = {"indexName": "products_price_asc", "params": {"query": "nordlys"}}
    body = {"requests": [good, {"indexName": name, "params": {"query": "nordlys"}}]}
    with shop.client() as client:
        answers = [client.post("/v1/instantsearch", json=body)]
        answers.append(client.post("/1/indexes/*/queries", json=body))
        if name and isinstance(name, str):
            answers.append(client.post(f"/1/indexes/{name}/query", json={"query": "nordlys"}))
            answers.append(client.post(f"/1/indexes/{name}/facets/brand/query", json={}))
        fine = client.post("/v1/instantsearch", json={"requests": [good]})
    assert fine.status_code == 200
    for answer in answers:
        assert answer.status_code == 404, answer.text
        assert answer.json()["message"] == f"Index {name} does not exist"
        assert "products_newest" in answer.json()["detail"]


@pytest.mark.parametrize("body", [{}, {"requests": []}, {"requests": [3]}, {"requests": [{}] * 21}])
def test_calls_without_requests_are_refused(shop: RealShop, body: dict[str, Any]) -> None:
    with shop.client() as client:
        answer = client.post("/v1/instantsearch", json=body)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_conditions_are_those_of_the_native_door(shop: RealShop) -> None:
    """The same filters by both doors find the same products."""
    params = {
        "query": "nordlys",
        "filters": "brand:Nordlys AND (merchant:Voltina OR merchant:darti) AND price<=851.30",
        "facetFilters": [["category:Electronics > Laptops"]],
        "hitsPerPage": 100,
    }
    body = {
        "q": "nordlys",
        "filters": {
            "manufacturer": ["nordlys"], "merchant": ["voltina", "darti"],
            "price_max": "851.30", "category": [328],
        },
        "per_page": 100,
    }  # fmt: skip
    with shop.client() as client:
        theirs = client.post(
            "/v1/instantsearch?lang=en",
            json={"requests": [{"indexName": "products", "params": params}]},
        ).json()["results"][0]
        ours = client.post("/v1/search", json=body).json()
    assert [hit["objectID"] for hit in theirs["hits"]] == [row["id"] for row in ours["products"]]
    assert theirs["nbHits"] == ours["total"] == 2


def test_other_sites_need_the_brands_permission(shop: RealShop) -> None:
    asked = {"access-control-request-method": "POST", "origin": PARTNERS_SITE}
    with shop.client() as client:
        allowed = client.options("/v1/instantsearch", headers=asked)
        assert allowed.status_code == 204
        assert allowed.headers["access-control-allow-origin"] == PARTNERS_SITE
        assert "access-control-allow-credentials" not in allowed.headers
        other = client.options(
            "/v1/instantsearch", headers={**asked, "origin": "https://evil.example"}
        )
        assert "access-control-allow-origin" not in other.headers
        cross = {"origin": PARTNERS_SITE, "sec-fetch-site": "cross-site"}
        answer = client.post("/v1/instantsearch", json={"requests": [{}]}, headers=cross)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == PARTNERS_SITE
        assert "Origin" in answer.headers["vary"]
        # Nothing that a cookie speaks for is opened by this.
        assert client.post("/basket/lines", headers=cross).status_code == 403
