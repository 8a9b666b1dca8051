"""Odd addresses, sent byte for byte: pages and API answer every one of them without failing."""

from __future__ import annotations

import itertools
import random
import socket
import time
from contextlib import closing
from urllib.parse import quote

import pytest

from tests.running_demo import Demo

pytestmark = pytest.mark.oscar

PARAMETERS = (
    "q", "category", "manufacturer", "merchant", "availability", "price_min", "price_max", "sort",
    "page", "lang", "scheme", "brand", "filters", "unknown",
)  # fmt: skip
VALUES = (
    "", "%00", "%0d%0aSet-Cookie:%20a=b", "%1b[31m", "%ff%fe", "%c3%28", "%ed%a0%80",
    "%f0%9f%9b%92",
    "%u0041", "%", "%2", "%zz", "+", "%20%20", "-1", "0", "1e309", "NaN", "Infinity", "-0.0",
    "9" * 400, "18446744073709551616", "1.299,00", "٣٤٥", "½", "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd", "%2e%2e%5c", "<script>alert(1)</script>", "'%20OR%201=1--",
    "%22%20onload=x", "{{7*7}}", "${7*7}", "*", "title:*", "AND", "NOT%20NOT", "((((", "\"\"\"",
    "a~99", "a^1e9", "/.*/", "[a%20TO%20b]", "\\", "%E2%80%AE", "%EF%BB%BF", "a" * 10_000,
    "%20".join("ab" for _ in range(3_000)), "é" * 1_000, "null", "true", "[]", "{}", "in_stock,x",
    "0x10", "1_000", "%F3%A0%80%81", "328-", "328-laptops", "-328", "relevance%00",
)  # fmt: skip
WHOLE = (
    "/search?" + "&".join(f"category={n}" for n in range(3_000)),
    "/search?" + "q=a&" * 5_000,
    "/search?" + "&" * 9_000,
    "/search?" + "=" * 9_000,
    "/search?q[]=a&q[0]=b&page[gt]=1&category[$ne]=1",
    "/search?q=a;page=2",
    "/search?q=" + quote("ｌａｐｔｏｐ Ⅷ ﬁ İ ß ẞ"),
    "/search?price_min=10&price_max=1&page=99999999999&sort=__proto__",
    "/v1/search?q=%00&page=%00",
    "//search?q=a",
    "/search/../../etc/passwd",
    "/search%2f..%2f..",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/static/../../../etc/passwd",
    "/static/%2e%2e/%2e%2e/shop.css",
    "/static/0000/..%2f..%2fpyproject.toml",
    "/static/brands/..%2f..%2fmirabelle/icon.svg",
    "/static/brands/%00/x.css",
    "/static/brands/mirabelle/" + "0" * 5_000 + ".css",
    "/drawings/999999999999999999999/x.svg",
    "/drawings/-1/any.svg",
    "/drawings/267/..%2f..%2fx.svg",
    "/drawings/267/%00.svg",
    "/drawings/NaN/any.svg",
    "/terms?version=99999999999999999999",
    "/terms?version=-1",
    "/terms?version=x",
    "/terms?version=1&language=%00",
    "/terms?version=1&language=" + "x" * 5_000,
    "/checkout/confirm?quote=%00",
    "/checkout/confirm?quote=" + "q" * 9_000,
    "/checkout?country=%00",
    "/pay/handoff/%00",
    "/pay/handoff/x/99999999999999999999",
    "/pay/handoff/x/%00",
    "/pay/return/%00?attempt=99999999999999999999",
    "/pay/return/x?attempt=-1&left=%00",
    "/pay/return/x?attempt=a",
    "/order/%00",
    "/order/" + "o" * 9_000,
    "/order/..%2f..%2f",
    "/order/%ff",
    "/v1/orders/%00",
    "/v1/orders/" + "o" * 9_000,
    "/v1/products/%00",
    "/v1/products/%ff%fe",
    "/v1/products/..%2f",
    "/v1/products/" + "p" * 9_000,
    "/product/%00",
    "/product/%ff%fe",
    "/product/prd_%F0%9F%9B%92",
    "/product/" + "p" * 9_000,
    "/product/prd_x?q=%00",
    "/basket?just_added=%00",
    "/basket/lines/%00",
    "/healthz?%00",
    "/?lang=%00&scheme=%00&brand=%00",
    "/legal/%00",
    "/openapi.json?%ff",
    "/favicon.ico",
    "/%",
    "/%zz",
    "/" + "a/" * 4_000,
    "*",
    "http://elsewhere.example/search?q=a",
)  # fmt: skip
HEADERS = (
    'Cookie: brand=%00; lang=\x01; scheme="; basket_count=99999999999999999999',
    "Cookie: basket=" + "b" * 3_000,
    "Cookie: basket=%00; basket_count=-1",
    "Cookie: " + "; ".join(f"c{n}=1" for n in range(500)),
    "Accept-Language: " + "de;q=" * 500,
    "Accept-Language: \xff\xfe, *;q=NaN, fr;q=99999999999999999999999999",
    "Accept-Language: fr;q=1e999",
    "HX-Request: true",
    "Range: bytes=0-,0-,0-",
    "If-None-Match: " + '"x",' * 500,
    "Sec-Fetch-Site: cross-site",
    "Content-Length: 5",
)


def status_of(demo: Demo, target: str, header: str = "X: y") -> int:
    """Status of a GET sent as it is; connections closed without an answer count as 400."""
    with closing(socket.create_connection(("127.0.0.1", demo.plan.port), timeout=60)) as wire:
        head = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{demo.plan.port}\r\n{header}\r\n"
        wire.sendall((head + "Connection: close\r\n\r\n").encode("latin-1", "replace"))
        if header.startswith("Content-Length"):
            wire.sendall(b"a=b&c")
        answer = bytearray()
        while len(answer) < 64 and (part := wire.recv(4096)):
            answer += part
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 400


def targets() -> list[str]:
    """Every parameter with every value, on pages and API, and whole addresses."""
    single = [
        f"{path}?{name}={value}"
        for (name, value), path in zip(
            itertools.product(PARAMETERS, VALUES), itertools.cycle(("/search", "/v1/search"))
        )
    ]
    draw = random.Random(952)
    mixed = [
        f"{draw.choice(('/search', '/v1/search', '/', '/basket'))}?"
        + "&".join(
            f"{draw.choice(PARAMETERS)}={draw.choice(VALUES)}" for _ in range(draw.randint(2, 6))
        )
        for _ in range(150)
    ]
    return [*single, *mixed, *WHOLE]


def test_no_address_makes_the_shop_fail(demo: Demo) -> None:
    asked = targets()
    assert len(asked) > 800
    failed = [target[:120] for target in asked if status_of(demo, target) >= 500]
    assert failed == []


@pytest.mark.parametrize("path", ["/", "/search?q=tv", "/basket", "/v1/search", "/terms"])
def test_no_header_makes_the_shop_fail(demo: Demo, path: str) -> None:
    failed = [header[:80] for header in HEADERS if status_of(demo, path, header) >= 500]
    assert failed == []


def test_odd_addresses_are_answered_soon(demo: Demo) -> None:
    started = time.monotonic()
    for value in ("a" * 10_000, "%20".join("ab" for _ in range(3_000)), "((((" * 500, "*" * 2_000):
        assert status_of(demo, f"/v1/search?q={value}") == 200
    assert time.monotonic() - started < 20


def test_what_cannot_be_read_is_named_and_the_rest_is_answered(demo: Demo) -> None:
    with demo.visitor("taktwerk") as visitor:
        odd = visitor.get("/v1/search?q=monitor&page=0&price_min=abc&sort=best&category=zz")
        plain = visitor.get("/v1/search?q=monitor")
    assert set(odd.json()["ignored"]) == {"page", "price_min", "sort", "category"}
    assert odd.json()["total"] == plain.json()["total"] > 0


def test_what_was_typed_is_shown_as_text(demo: Demo) -> None:
    with demo.visitor("mirabelle") as visitor:
        page = visitor.get("/search", params={"q": '"><script>alert(1)</script>'})
    assert page.status_code == 200
    assert "<script>alert(1)" not in page.text
