"""A real crawl of a real server by the spider in its own process."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from comptoir.demo_market import Market, generate
from comptoir.merchant_sites import create_app
from comptoir.merchant_sites.atelier_boreal import FORBIDDEN, odd_pages
from crawlers.spiders.guard import is_listed_site, netloc_of, sites_of
from crawlers.spiders.json_ld import CrawlBounds, crawl_settings

PRODUCT = """<html lang="de"><script type="application/ld+json">
{"@type": "Product", "sku": "%s", "name": "Ding",
 "offers": {"price": "5.00", "priceCurrency": "EUR"}}
</script></html>"""


class Served:
    """A server on a free port that remembers what it was asked."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.asked: list[str] = []
        self.agents: set[str] = set()
        self.cookies = 0
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(self, log_level="error", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.asked.append(scope["path"])
            headers = dict(scope["headers"])
            self.agents.add(headers.get(b"user-agent", b"").decode())
            self.cookies += b"cookie" in headers
        await self.app(scope, receive, send)

    def __enter__(self) -> Served:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()


def crawl(
    served: Served, start: str, folder: Path, *more: str, allow: bool = True
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], subprocess.CompletedProcess[str]]:
    """Offers, refusals and the finished process."""
    out = folder / "crawl.jsonl"
    command = [
        sys.executable, "-m", "crawlers.spiders.json_ld", "--start-url", f"http://{served.host}{start}",
        "--out", str(out), "--delay-s", "0", *more,
    ]  # fmt: skip
    if allow:
        command += ["--allow-host", served.host]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    lines = out.read_text("utf-8").splitlines() if out.exists() else []
    records = [json.loads(line) for line in lines]
    offers = [record for record in records if "code" not in record]
    return offers, [record for record in records if "code" in record], done


@pytest.fixture(scope="module")
def market() -> Market:
    return generate()


def test_the_whole_shop_is_read(market: Market, tmp_path: Path) -> None:
    with Served(create_app(market)) as served:
        start = "/atelier-boreal/sitemap.xml"
        offers, refusals, done = crawl(served, start, tmp_path, "--requests-at-once", "4")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    listed = {offer.sku: offer for offer in market.offers_of("atelier-boreal")}
    odd = odd_pages(market)
    assert {record["sku"] for record in offers} == set(listed) - {odd.without_markup}
    assert len(offers) == len(listed) - 1
    for record in offers:
        assert record["title"] == listed[record["sku"]].title
        assert record["url"] == f"http://{served.host}{listed[record['sku']].page}"
        assert len(record["delivery"]) == 2
    assert sorted(refusal["code"] for refusal in refusals) == [
        "markup_missing", "markup_missing", "markup_missing", "markup_missing",
        "page_forbidden", "page_gone",
    ]  # fmt: skip
    assert FORBIDDEN not in served.asked
    assert served.asked[0] == "/robots.txt"
    assert all("Comptoir" in agent for agent in served.agents)


def pages(routes: dict[str, Callable[[Request], Response]]) -> Starlette:
    return Starlette(routes=[Route(path, answer) for path, answer in routes.items()])


def sitemap(*paths: str) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        base = str(request.base_url).rstrip("/")
        urls = [base + path if path.startswith("/") else path for path in paths]
        rows = "".join(f"<url><loc>{url}</loc></url>" for url in urls)
        return Response(f"<urlset>{rows}</urlset>", media_type="application/xml")

    return answer


def text(body: str, status: int = 200) -> Callable[[Request], Response]:
    return lambda _: PlainTextResponse(body, status)


def html(body: str) -> Callable[[Request], Response]:
    return lambda _: HTMLResponse(body, headers={"set-cookie": "a=b"})


def test_a_busy_server_is_waited_for(market: Market, tmp_path: Path) -> None:
    calls: list[float] = []

    def busy_once(_: Request) -> Response:
        calls.append(time.monotonic())
        if len(calls) == 1:
            return PlainTextResponse("later", 503, headers={"retry-after": "1"})
        return HTMLResponse(PRODUCT % "S1")

    app = pages({"/robots.txt": text(""), "/s.xml": sitemap("/p"), "/p": busy_once})
    with Served(app) as served:
        offers, refusals, _ = crawl(served, "/s.xml", tmp_path)
    assert [offer["sku"] for offer in offers] == ["S1"]
    assert refusals == []
    assert calls[1] - calls[0] >= 1


def test_what_is_elsewhere_is_not_visited(tmp_path: Path) -> None:
    with Served(pages({"/secret": html(PRODUCT % "X")})) as inner:
        there = f"http://{inner.host}/secret"
        app = pages(
            {
                "/robots.txt": text("Sitemap: /s.xml"),
                "/s.xml": sitemap(
                    "/p",
                    "/away",
                    there,
                    "file:///etc/hostname",
                    "/p",
                    "p.html",
                    "http://x:port/",
                    "/q",
                ),
                "/p": html(PRODUCT % "S1"),
                "/q": html(PRODUCT % "S2"),
                "/away": lambda _: RedirectResponse(there),
            }
        )
        with Served(app) as served:
            offers, refusals, _ = crawl(served, "/robots.txt", tmp_path)
    assert {offer["sku"] for offer in offers} == {"S1", "S2"}
    assert inner.asked == []
    assert served.asked.count("/p") == 1
    assert served.cookies == 0
    codes = sorted(refusal["code"] for refusal in refusals)
    assert codes == [
        "page_elsewhere", "page_elsewhere", "page_forbidden", "page_no_address", "page_no_address",
    ]  # fmt: skip


def test_bounds_end_a_crawl_and_it_says_so(tmp_path: Path) -> None:
    few = {f"/p{n}": html(PRODUCT % f"S{n}") for n in range(6)}
    app = pages({"/robots.txt": text(""), "/s.xml": sitemap(*few), **few})
    with Served(app) as served:
        offers, refusals, _ = crawl(served, "/s.xml", tmp_path, "--max-pages", "3")
        assert len(offers) == 3
        assert [refusal["code"] for refusal in refusals] == ["feed_crawl_cut_short"]
        offers, refusals, _ = crawl(served, "/s.xml", tmp_path, "--max-total-bytes", "900")
        assert 0 < len(offers) < 6
        assert "feed_crawl_cut_short" in {refusal["code"] for refusal in refusals}


def test_a_giant_page_and_a_lost_page_leave_the_crawl_open(tmp_path: Path) -> None:
    app = pages(
        {
            "/robots.txt": text(""),
            "/s.xml": sitemap("/giant", "/broken", "/p", "/file"),
            "/giant": html("x" * 300_000),
            "/broken": text("oh", 500),
            "/file": lambda _: Response(b"\x89PNG", media_type="image/png"),
            "/p": html(PRODUCT % "S1"),
        }
    )
    with Served(app) as served:
        offers, refusals, _ = crawl(served, "/s.xml", tmp_path, "--max-page-bytes", "100000")
    assert [offer["sku"] for offer in offers] == ["S1"]
    found = sorted((refusal["code"], refusal["excerpt"].rsplit("/", 1)[1]) for refusal in refusals)
    assert found == [
        ("feed_page_lost", "broken"),
        ("feed_page_lost", "giant"),
        ("page_not_html", "file"),
    ]


@pytest.mark.parametrize(
    ("robots", "shop_map", "code"),
    [
        (text("no", 503), sitemap("/p"), "feed_sitemap_lost"),
        (text("User-agent: *\nDisallow: /"), sitemap("/p"), "feed_sitemap_lost"),
        (text(""), text("gone", 404), "feed_sitemap_lost"),
        (text(""), text("<urlset", 200), "feed_sitemap_unreadable"),
        (text(""), sitemap(), "feed_sitemap_unreadable"),
    ],
)
def test_without_leave_or_sitemap_nothing_is_read(
    tmp_path: Path, robots: Any, shop_map: Any, code: str
) -> None:
    app = pages({"/robots.txt": robots, "/s.xml": shop_map, "/p": html(PRODUCT % "S1")})
    with Served(app) as served:
        offers, refusals, _ = crawl(served, "/s.xml", tmp_path)
    assert offers == []
    assert [refusal["code"] for refusal in refusals] == [code]
    assert "/p" not in served.asked


def test_an_article_told_twice_counts_once(tmp_path: Path) -> None:
    other = (PRODUCT % "S1").replace("5.00", "6.00")
    routes = {"/a": html(PRODUCT % "S1"), "/b": html(other)}
    app = pages({"/robots.txt": text(""), "/s.xml": sitemap("/a", "/b"), **routes})
    with Served(app) as served:
        offers, refusals, _ = crawl(served, "/s.xml", tmp_path)
    assert len(offers) == 1
    assert [(refusal["code"], refusal["sku"]) for refusal in refusals] == [("sku_repeated", "S1")]


def test_a_private_address_needs_the_operators_word(tmp_path: Path) -> None:
    with Served(pages({})) as served:
        _, _, done = crawl(served, "/s.xml", tmp_path, allow=False)
    assert done.returncode == 2
    assert "address is not visited" in done.stderr
    assert "Traceback" not in done.stderr
    assert served.asked == []


def test_dangerous_defaults_are_off() -> None:
    settings = crawl_settings("https://shop.example/sitemap.xml", [], CrawlBounds())
    assert settings["REMOTE_CONTROL_ENABLED"] is False
    assert settings["TELNETCONSOLE_ENABLED"] is False
    assert settings["COOKIES_ENABLED"] is False
    assert settings["ROBOTSTXT_OBEY"] is True
    assert settings["DOWNLOAD_VERIFY_CERTIFICATES"] is True
    assert settings["DOWNLOAD_MAXSIZE"] <= 8 * 1024 * 1024
    assert settings["DOWNLOAD_DELAY"] > 0
    handlers = settings["DOWNLOAD_HANDLERS"]
    assert {name for name, handler in handlers.items() if handler is None} == {
        "file", "data", "ftp", "s3",
    }  # fmt: skip


def test_sites_are_told_by_host_and_port() -> None:
    sites = sites_of("https://Shop.example/sitemap.xml", ["127.0.0.1:8001"])
    assert is_listed_site("https://shop.example:443/p", sites)
    assert is_listed_site("http://127.0.0.1:8001/p", sites)
    for url in (
        "http://shop.example/",
        "https://shop.example.evil.example/",
        "file:///x",
        "",
        "//",
    ):
        assert not is_listed_site(url, sites)
    assert netloc_of("http://[::1") == ""
    assert netloc_of("http://a:99999/") == ""
