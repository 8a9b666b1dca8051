"""The native door: strict bodies, ids and logs of queries, events, suggestions, export."""

from __future__ import annotations

import time
from typing import Any

import pytest
import sqlalchemy as sa

from mdm.catalogue import log_changes
from search_api.query_id import QueryIds
from tenants.partner_keys import create_partner_key, revoke_partner_keys
from tests.search_api.real_shop import GERMAN, RealShop


def post(shop: RealShop, path: str, body: Any, *, host: str = "mirabelle.localhost") -> Any:
    with shop.client(host) as client:
        return client.post(path, json=body)


def settle(shop: RealShop, statement: str, **values: Any) -> Any:
    """The rows, once the writer has had its half second."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with shop.installation.database.platform() as tx:
            rows = tx.execute(sa.text(statement), values).all()
        if rows:
            return rows
        time.sleep(0.1)
    return []


def test_the_body_and_the_address_have_the_same_answer(shop: RealShop) -> None:
    body = {
        "q": "lampe",
        "filters": {"merchant": ["darti"], "price_min": "11", "price_max": "12.50"},
        "sort": "price_asc",
        "page": 2,
        "per_page": 5,
        "language": "de",
    }
    by_body = post(shop, "/v1/search", body).json()
    with shop.client() as client:
        by_address = client.get(
            "/v1/search?q=lampe&merchant=darti&price_min=11&price_max=12.50&sort=price_asc"
            "&page=2&per_page=5&lang=de"
        ).json()
    for answer in (by_body, by_address):
        assert answer.pop("query_id").startswith("qry_")
        assert answer.pop("took_ms") >= 0
    assert by_body == by_address
    assert (by_body["total"], by_body["page"], by_body["pages"]) == (16, 2, 4)
    assert len(by_body["products"]) == 5
    assert by_body["notice"]["text"]


def test_what_was_understood_is_undone_by_body_as_by_address(shop: RealShop) -> None:
    asked = {"q": "lampe moins de 12 €", "language": "fr"}
    understood = post(shop, "/v1/search", asked).json()
    assert [piece["kind"] for piece in understood["understood"]][:1] == ["price"]
    undone = post(shop, "/v1/search", {**asked, "words": ["price"]}).json()
    assert undone["understood"] == []
    named = {**asked, "words": ["all"], "filters": {"attribute": ["colour:red"]}}
    with shop.client() as client:
        by_address = client.get(
            "/v1/search?q=lampe+moins+de+12+%E2%82%AC&lang=fr&words=all&attribute=colour:red"
        ).json()
    assert post(shop, "/v1/search", named).json()["total"] == by_address["total"] == 0


def test_a_denial_is_named_in_answer_and_page(shop: RealShop) -> None:
    asked = {"q": "lampe sans pied", "language": "fr"}
    (piece,) = post(shop, "/v1/search", asked).json()["understood"]
    assert (piece["kind"], piece["label"]) == ("denied", "sans pied")
    assert post(shop, "/v1/search", {**asked, "words": ["denied"]}).json()["understood"] == []
    with shop.client() as client:
        page = client.get("/search?q=lampe+sans+pied&lang=fr").text
    chips = page.partition("Compris d")[2].partition("</div>")[0]
    assert "sans pied" in chips
    assert "words=denied" in chips


def test_facets_come_as_asked_for(shop: RealShop) -> None:
    assert len(post(shop, "/v1/search", {"q": "nordlys"}).json()["facets"]) == 4
    some = post(shop, "/v1/search", {"q": "nordlys", "facets": ["merchant"]}).json()
    assert [facet["name"] for facet in some["facets"]] == ["merchant"]
    assert some["facets"][0]["values"]
    none = post(shop, "/v1/search", {"q": "nordlys", "facets": []}).json()
    assert (none["facets"], none["total"]) == ([], 3)


def test_scores_are_explained_on_demand(shop: RealShop) -> None:
    answer = post(shop, "/v1/search", {"q": "nordlys book", "explain": True}).json()
    assert [row["product_id"] for row in answer["explain"]] == [
        row["id"] for row in answer["products"]
    ]
    for why in answer["explain"]:
        assert why["score"] > 0
        assert {clause["word"] for clause in why["clauses"]} == {0, 1}
    assert post(shop, "/v1/search", {"q": "nordlys"}).json()["explain"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"query": "x"}, "query"),
        ({"q": 3}, "q"),
        ({"q": "x" * 201}, "q"),
        ({"filters": {"colour": ["red"]}}, "filters.colour"),
        ({"filters": {"category": [999_999_999]}}, "filters.category"),
        ({"filters": {"category": "328"}}, "filters.category"),
        ({"filters": {"availability": ["soon"]}}, "filters.availability"),
        ({"filters": {"price_min": "much"}}, "filters.price_min"),
        ({"filters": {"price_min": "5", "price_max": "4"}}, "filters.price_max"),
        ({"filters": {"merchant": ["a"] * 31}}, "filters.merchant"),
        ({"facets": ["price"]}, "facets[0]"),
        ({"sort": "best"}, "sort"),
        ({"page": 0}, "page"),
        ({"page": 1_001}, "page"),
        ({"page": 500, "per_page": 100}, "page"),
        ({"per_page": 101}, "per_page"),
        # A number in quotes, and what counts as 1 or as true, are no numbers and no truth.
        ({"page": "2"}, "page"),
        ({"page": True}, "page"),
        ({"per_page": 24.0}, "per_page"),
        ({"explain": 1}, "explain"),
        ({"language": "it"}, "language"),
        ({"explain": "perhaps"}, "explain"),
        ({"words": ["nothing"]}, "words"),
        ({"filters": {"attribute": ["8 kg"]}}, "filters.attribute"),
    ],
)
def test_a_wrong_field_is_refused_by_name(shop: RealShop, body: Any, field: str) -> None:
    answer = post(shop, "/v1/search", body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "field_invalid"
    assert f" {field} " in answer.json()["title"]


@pytest.mark.parametrize(
    "raw",
    [
        b"", b" ", b"{", b"[]", b"3", b'"x"', b"null", b"\xff\xfe", b'{"q": "\xff"}', b"{} {}",
        b'{"q": "\\ud800"}', b"[" * 100_000, b'{"q":' * 50_000, b"NaN", b'{"page": 1e999}',
        b'{"page": 99999999999999999999999999}', b"\x00",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/search", "/v1/events", "/v1/instantsearch"])
def test_what_is_no_json_is_refused(shop: RealShop, path: str, raw: bytes) -> None:
    with shop.client() as client:
        answer = client.post(path, content=raw)
    assert answer.status_code in {400, 422}, answer.text
    assert answer.json()["code"] in {"body_invalid", "field_invalid", "filter_unsupported"}


def test_a_body_too_large_is_refused(shop: RealShop) -> None:
    with shop.client() as client:
        assert client.post("/v1/search", content=b" " * 300_000).status_code == 413


def test_queries_are_logged_without_anybody(shop: RealShop) -> None:
    answer = post(
        shop, "/v1/search", {"q": "nordlys jeanne@example.org", "filters": {"category": [328]}}
    ).json()
    rows = settle(
        shop,
        "SELECT brand_id, door, words, filters, total, relaxation, first_position, products "
        "FROM tenants.logged_query WHERE query_id = :id",
        id=answer["query_id"],
    )
    (row,) = rows
    assert (row.brand_id, row.door, row.words) == ("mirabelle", "api", "nordlys")
    assert row.filters == {"category": [328]}
    assert row.products == [product["id"] for product in answer["products"]]
    with shop.installation.database.platform() as tx:
        columns = tx.execute(
            sa.text(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = 'tenants' "
                "AND table_name IN ('logged_query', 'query_event')"
            )
        ).scalars()
        names = set(columns)
    assert not {name for name in names if "ip" in name.split("_") or "address" in name}


def test_events_count_where_the_answer_showed_the_product(shop: RealShop) -> None:
    answer = post(shop, "/v1/search", {"q": "lampe", "page": 2, "per_page": 10}).json()
    shown = answer["products"][3]["id"]
    event = {
        "kind": "click", "query_id": answer["query_id"], "product_id": shown, "position": 14,
    }  # fmt: skip
    elsewhere = {**event, "kind": "offer_out", "position": 15}
    batch = {"events": [event, event, elsewhere]}
    taken = post(shop, "/v1/events", batch)
    assert (taken.status_code, taken.json()["accepted"]) == (202, 3)
    rows = settle(
        shop,
        "SELECT kind, product_id, position FROM tenants.query_event WHERE query_id = :id",
        id=answer["query_id"],
    )
    assert [tuple(row) for row in rows] == [("click", shown, 14)]


def test_events_that_refer_to_no_answer_are_refused(shop: RealShop) -> None:
    answer = post(shop, "/v1/search", {"q": "lampe"}).json()
    known = answer["query_id"]
    forged = known[:-1] + ("a" if known[-1] != "a" else "b")
    base = {"kind": "click", "product_id": answer["products"][0]["id"], "position": 1}
    ids = [known, forged, "qry_" + "a" * 32, "", "x", QueryIds(b"other").new("mirabelle")]
    taken = post(shop, "/v1/events", {"events": [{**base, "query_id": id_} for id_ in ids]}).json()
    assert taken["accepted"] == 1
    assert [(row["index"], row["code"]) for row in taken["refused"]] == [
        (index, "query_unknown") for index in range(1, 6)
    ]
    other = post(shop, "/v1/events", {"events": [{**base, "query_id": known}]}, host=GERMAN)
    assert other.json()["accepted"] == 0, "an id is one brand's"


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "buy"}, {"position": 0}, {"position": 1_001}, {"position": "x"},
        {"product_id": "a b"}, {"product_id": "x" * 65}, {"query_id": "q" * 61}, {"more": 1},
        {"offer_id": ""},
    ],
)  # fmt: skip
def test_malformed_events_are_refused_by_name(shop: RealShop, event: dict[str, Any]) -> None:
    whole = {"kind": "click", "query_id": "q", "product_id": "p", "position": 1, **event}
    answer = post(shop, "/v1/events", {"events": [whole]})
    assert answer.status_code == 422
    assert f"events[0].{next(iter(event))}" in answer.json()["title"]
    assert post(shop, "/v1/events", {"events": [whole] * 51}).status_code == 422


def test_an_id_is_good_for_a_day() -> None:
    ids = QueryIds(b"s" * 32)
    made = ids.new("mirabelle", now=1_000_000.0)
    assert ids.is_known(made, "mirabelle", now=1_000_000.0 + 86_400)
    assert not ids.is_known(made, "mirabelle", now=1_000_000.0 + 86_401)
    assert not ids.is_known(made, "mirabelle", now=1_000_000.0 - 61)
    assert not ids.is_known(made, "taktwerk", now=1_000_000.0)
    assert len({ids.new("mirabelle") for _ in range(1_000)}) == 1_000


def test_the_export_walks_through_everything_and_resumes(shop: RealShop) -> None:
    database = shop.installation.database
    with database.platform() as tx:
        key = create_partner_key(tx, "mirabelle", "walker")
        foreign = create_partner_key(tx, "taktwerk", "walker")
    seen: list[str] = []
    cursor = ""
    with shop.client(authorization=f"Bearer {key}") as client:
        while True:
            page = client.get("/v1/export", params={"cursor": cursor, "limit": 7}).json()
            seen += [row["id"] for row in page["products"]]
            if page["next"] is None:
                break
            cursor = page["next"]
        assert len(seen) == len(set(seen)) == 64
        again = client.get("/v1/export", params={"cursor": cursor, "limit": 500}).json()
        assert [row["id"] for row in again["products"]] == seen[-len(again["products"]) :]
        first = client.get("/v1/export", params={"limit": 1}).json()["products"][0]
        assert {"titles", "offers", "facts", "from_total", "gtins"} <= set(first)
        assert client.get("/v1/export?cursor=w1.1.x.y").json()["code"] == "cursor_invalid"
        assert client.get("/v1/export/changes?cursor=c1.999.0").status_code == 410
        assert client.get("/v1/export?limit=many").status_code == 422
    for wrong in ("", "Bearer", f"Bearer {foreign}", f"Basic {key}", "Bearer cpk_a_b"):
        with shop.client(authorization=wrong) as client:
            answer = client.get("/v1/export")
        assert (answer.status_code, answer.json()["code"]) == (401, "key_unknown"), wrong
    with database.platform() as tx:
        revoke_partner_keys(tx, "mirabelle", "walker")
    with shop.client(authorization=f"Bearer {key}") as client:
        assert client.get("/v1/export").status_code == 401


def test_changes_name_what_is_new_and_what_is_gone(shop: RealShop) -> None:
    """As far as the brand's index has come in the change log."""
    installation = shop.installation
    with installation.database.platform() as tx:
        key = create_partner_key(tx, "mirabelle", "follower")
        tx.execute(sa.text("DELETE FROM indexer.position"))
        tx.execute(
            sa.text(
                "INSERT INTO indexer.position "
                "(brand_id, index_name, position, brand_revision, live) "
                "VALUES ('mirabelle', 'i', 0, 1, true)"
            )
        )
        tx.execute(
            sa.text(
                "INSERT INTO mdm.product VALUES ('prd_monitor', 1, 'live', '{}', now()), "
                "('prd_gone', 1, 'retired', '{}', now())"
            )
        )
    with shop.client(authorization=f"Bearer {key}") as client:
        start = client.get("/v1/export", params={"limit": 1}).json()["changes"]
        with installation.database.platform() as tx:
            log_changes(tx, ["prd_monitor", "prd_gone"])
        waiting = client.get("/v1/export/changes", params={"cursor": start}).json()
        assert (waiting["products"], waiting["removed"], waiting["complete"]) == ([], [], True)
        with installation.database.platform() as tx:
            tx.execute(
                sa.text(
                    "UPDATE indexer.position SET position = "
                    "(SELECT max(position) FROM mdm.change_log)"
                )
            )
        page = client.get("/v1/export/changes", params={"cursor": waiting["next"]}).json()
        assert [row["id"] for row in page["products"]] == ["prd_monitor"]
        assert page["removed"] == ["prd_gone"]
        after = client.get("/v1/export/changes", params={"cursor": page["next"]}).json()
        assert (after["products"], after["removed"]) == ([], [])
        one = client.get("/v1/export/changes", params={"cursor": start, "limit": 1}).json()
        assert not one["complete"]
        assert len(one["products"]) + len(one["removed"]) == 1
