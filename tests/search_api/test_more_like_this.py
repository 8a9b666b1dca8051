"""`/v1/products/{id}/similar` of a real shop."""

from __future__ import annotations

from tests.search_api.real_shop import RealShop


def test_a_product_has_others_near_it(shop: RealShop) -> None:
    """Itself is not among them; an unknown product is refused as such."""
    with shop.client() as client:
        asked = client.get("/v1/search", params={"q": "lave-linge", "lang": "fr"}).json()
        product_id = asked["products"][0]["id"]
        answer = client.get(f"/v1/products/{product_id}/similar", params={"lang": "fr"})
        assert answer.status_code == 200
        found = answer.json()
        assert found["id"] == product_id
        ids = [card["id"] for card in found["products"]]
        assert product_id not in ids
        assert len(ids) == len(set(ids)) <= 8
        refused = client.get("/v1/products/prd_nothing/similar")
        assert refused.status_code == 404
        assert refused.json()["code"] == "product_unknown"
