"""Every leaf of the category tree has its own drawing, in every colour, small and well-formed."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from lxml import etree
from starlette.testclient import TestClient

from kernel.categories import categories
from kernel.pictures import COLOURS, drawing_url
from search_api.drawings.draw import draw
from search_api.drawings.route import router

DEPARTMENTS = {c.id for c in categories().values() if c.parent is None}
LEAVES = sorted(set(categories()) - DEPARTMENTS)
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("category_id", LEAVES)
def test_a_leaf_has_its_own_drawing_in_every_colour(category_id: int) -> None:
    parcel = draw(None, "red")
    seen = set()
    for colour in COLOURS:
        svg = draw(category_id, colour)
        seen.add(svg)
        assert len(svg.encode()) < 6_000
        assert "{" not in svg
        root = etree.fromstring(svg.encode())
        assert root.get("viewBox") == "0 0 320 320"
        assert not list(root.iter(f"{SVG}text", f"{SVG}script", f"{SVG}image", f"{SVG}style"))
    assert len(seen) == len(COLOURS)
    assert draw(category_id, "red") != parcel


def test_no_two_leaves_share_a_drawing() -> None:
    assert len({draw(category_id, "blue") for category_id in LEAVES}) == len(LEAVES)


def test_departments_and_unknown_things_are_drawn_too() -> None:
    parcel = draw(None, None)
    assert all(draw(department, None) != parcel for department in DEPARTMENTS)
    assert draw(987654, "mauve") == parcel


def test_the_address_that_pages_use_answers() -> None:
    app = FastAPI()
    app.include_router(router)
    client = TestClient(app)
    for url in (drawing_url(267, "blue"), drawing_url(None, None), "/drawings/x/%3Cb%3E.svg"):
        answer = client.get(url)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/svg+xml"
        assert "max-age" in answer.headers["cache-control"]
        assert etree.fromstring(answer.content).tag == f"{SVG}svg"
