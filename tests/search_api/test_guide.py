"""The guide for integrators tells the truth: each of its examples is sent, in its order."""

from __future__ import annotations

import re
from pathlib import Path

from tenants.partner_keys import create_partner_key
from tests.search_api.real_shop import RealShop

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "search-api.md"
BLOCK = re.compile(r"^```http\n(.*?)^```", re.MULTILINE | re.DOTALL)
FIRST = re.compile(r"^(GET|POST) (\S+)(?: -> (\d{3}))?$")


def test_every_example_is_answered_as_the_guide_says(shop: RealShop) -> None:
    with shop.installation.database.platform() as tx:
        known = {"partner_key": create_partner_key(tx, "mirabelle", "guide")}
    blocks = BLOCK.findall(GUIDE.read_text("utf-8"))
    assert len(blocks) >= 11
    with shop.client() as client:
        for block in blocks:
            head, _, body = block.partition("\n\n")
            for name, value in known.items():
                head, body = head.replace(f"{{{name}}}", value), body.replace(f"{{{name}}}", value)
            first, *lines = head.strip().splitlines()
            read = FIRST.match(first)
            assert read, first
            headers = dict(line.split(": ", 1) for line in lines)
            answer = client.request(
                read[1], read[2], headers=headers, content=body.strip().encode() or None
            )
            assert answer.status_code == int(read[3] or 200), (first, answer.text)
            said = answer.json()
            if read[2].startswith("/v1/search") and answer.status_code == 200:
                assert said["products"], first
                known["query_id"] = said["query_id"]
                known["product_id"] = said["products"][0]["id"]
            if read[2].startswith("/v1/events"):
                assert said["accepted"] == 1
            if "changes" in said:
                known["changes"] = said["changes"]
