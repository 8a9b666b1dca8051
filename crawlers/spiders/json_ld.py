"""Crawls a shop from its sitemap and writes what its product pages state, as JSON lines.

In: a sitemap (or robots.txt) address and bounds. Out: a file of `RawOffer` and `Refusal` lines. A
crawl that was cut short says so in a refusal whose code begins with `feed_`. Runs in a process of
its own: `python -m crawlers.spiders.json_ld --start-url URL --out FILE --allow-host host:port`.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import lxml.etree
import orjson
from scrapy import Request
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.exceptions import CloseSpider
from scrapy.http import HtmlResponse, Response
from scrapy.spiders import SitemapSpider

from crawlers.json_ld_offers import read_offers
from crawlers.spiders.guard import is_listed_site, sites_of
from kernel.errors import DomainError
from kernel.http import USER_AGENT, checked_url
from mdm.raw_offer import RawOffer, Refusal

MIB = 1024 * 1024
# The standard allows a sitemap 50 MB, more than any page is allowed.
SITEMAP_BYTES = 50 * MIB
GONE = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class CrawlBounds:
    """How far a crawl goes. `delay_s` lies between two requests to the shop."""

    pages: int = 20_000
    depth: int = 4
    seconds: float = 3600.0
    page_bytes: int = 4 * MIB
    total_bytes: int = 2048 * MIB
    delay_s: float = 1.0
    requests_at_once: int = 1


class JsonLdSpider(SitemapSpider):
    """One shop. Writes each record at once; nothing of a page is kept."""

    name = "json_ld"

    def __init__(
        self,
        start_url: str,
        allow_hosts: list[str],
        out: BinaryIO,
        bounds: CrawlBounds,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self.sitemap_urls = [start_url]
        self.sites = sites_of(start_url, allow_hosts)
        self.bounds = bounds
        self.landed = self.refused = 0
        self._out = out
        self._bytes = 0
        self._cut: str | None = None
        self._pages: set[str] = set()
        self._seen: dict[str, bytes] = {}

    async def start(self) -> AsyncIterator[Any]:
        """The sitemap; everything else follows from it."""
        for url in self.sitemap_urls:
            yield self._sitemap(Request(url))

    def _sitemap(self, request: Request) -> Request:
        return request.replace(
            callback=self.parse_sitemap,
            errback=self.lost_sitemap,
            meta={"download_maxsize": SITEMAP_BYTES},
        )

    def parse_sitemap(self, response: Response) -> Iterator[Request]:
        """Requests of what a sitemap or robots.txt names, with an answer to every failure."""
        self._count(response)
        listed = 0
        for request in self._listed(response):
            listed += 1
            if request.callback == self.parse:
                if (page := self._page(request)) is not None:
                    yield page
            else:
                yield self._sitemap(request)
        if listed == 0:
            self._refuse("feed_sitemap_unreadable", "the sitemap lists nothing", response.url)

    def sitemap_filter(self, entries: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Leave out what is no address: one of them would end the reading of the whole map."""
        for entry in entries:
            try:
                Request(entry["loc"])
            except ValueError as error:
                reason = f"the sitemap lists what is no address: {error}"[:300]
                self._refuse("page_no_address", reason, entry["loc"])
            else:
                yield entry

    def _listed(self, response: Response) -> Iterator[Request]:
        try:
            yield from self._parse_sitemap(response)
        except (lxml.etree.LxmlError, StopIteration, OSError, EOFError, ValueError) as error:
            self.logger.info("sitemap %s: %s", response.url, error)

    def _page(self, request: Request) -> Request | None:
        if request.url in self._pages:
            return None
        if not is_listed_site(request.url, self.sites):
            self._refuse("page_elsewhere", "the sitemap lists another site's page", request.url)
            return None
        if len(self._pages) >= self.bounds.pages:
            self._cut = "page_bound"
            return None
        self._pages.add(request.url)
        return request.replace(callback=self.parse, errback=self.lost_page)

    def parse(self, response: Response, **_: Any) -> None:
        """One page: its offers and refusals go to the file."""
        self._count(response)
        if not isinstance(response, HtmlResponse):
            self._refuse("page_not_html", "the page is no HTML", response.url)
            return
        for record in read_offers(response.text, response.url):
            if isinstance(record, Refusal):
                self._write_refusal(record)
            else:
                self._write_offer(record)

    def _write_offer(self, offer: RawOffer) -> None:
        line = orjson.dumps(offer.as_json())
        before = self._seen.setdefault(offer.sku, line)
        if before is line:
            self.landed += 1
            self._out.write(line + b"\n")
        elif before != line:
            reason = "another page states other things about the same article number"
            self._refuse("sku_repeated", reason, offer.url or "", sku=offer.sku)

    def _refuse(self, code: str, reason: str, url: str, sku: str | None = None) -> None:
        self._write_refusal(Refusal(code, reason, sku=sku, excerpt=url[:200]))

    def _write_refusal(self, refusal: Refusal) -> None:
        self.refused += 1
        self._out.write(orjson.dumps(asdict(refusal)) + b"\n")

    def _count(self, response: Response) -> None:
        self._bytes += len(response.body)
        if self._bytes > self.bounds.total_bytes:
            raise CloseSpider("byte_bound")

    def lost_page(self, failure: Any) -> None:
        """A page that did not come: gone, forbidden, or unknown, which leaves the crawl open."""
        url, status, name = _failed(failure)
        if status in GONE:
            self._refuse("page_gone", f"the sitemap lists a page that is gone ({status})", url)
        elif name == "IgnoreRequest":
            self._refuse("page_forbidden", str(failure.value)[:200] or "not allowed", url)
        else:
            self._refuse("feed_page_lost", f"the page did not come: {status or name}", url)

    def lost_sitemap(self, failure: Any) -> None:
        """Without its sitemap a shop cannot be read as a whole."""
        url, status, name = _failed(failure)
        self._refuse("feed_sitemap_lost", f"the sitemap did not come: {status or name}", url)

    def closed(self, reason: str) -> None:
        """A crawl that ended early is not the whole shop."""
        cut = self._cut or (None if reason == "finished" else reason)
        if cut:
            self._refuse("feed_crawl_cut_short", f"the crawl ended early: {cut}", "")
        if failures := self.crawler.stats.get_value("spider_exceptions/count"):
            self._refuse("feed_pages_unread", f"{failures} pages could not be read", "")


def _failed(failure: Any) -> tuple[str, int | None, str]:
    """(address, status if any, name of the exception) of a Twisted failure."""
    response = getattr(failure.value, "response", None)
    request = getattr(failure, "request", None)
    url = response.url if response is not None else getattr(request, "url", "")
    return url, getattr(response, "status", None), type(failure.value).__name__


def crawl_settings(start_url: str, allow_hosts: list[str], bounds: CrawlBounds) -> dict[str, Any]:
    """Scrapy's settings: what is on by default and must not be is switched off here."""
    return {
        "USER_AGENT": USER_AGENT,
        "ROBOTSTXT_OBEY": True,
        "REMOTE_CONTROL_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "COOKIES_ENABLED": False,
        "REFERER_ENABLED": False,
        "DOWNLOAD_HANDLERS": dict.fromkeys(("file", "data", "ftp", "s3")),
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_MAXSIZE": bounds.page_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_TIMEOUT": 30,
        "DOWNLOAD_DELAY": bounds.delay_s,
        "CONCURRENT_REQUESTS": bounds.requests_at_once,
        "CONCURRENT_REQUESTS_PER_DOMAIN": bounds.requests_at_once,
        "DEPTH_LIMIT": bounds.depth,
        "CLOSESPIDER_TIMEOUT": bounds.seconds,
        "REDIRECT_MAX_TIMES": 3,
        "RETRY_TIMES": 3,
        "RETRY_GIVE_UP_LOG_LEVEL": "INFO",
        "MEMUSAGE_ENABLED": False,
        "LOG_LEVEL": "ERROR",
        "TWISTED_DNS_RESOLVER": "crawlers.spiders.guard.JudgingResolver",
        "COMPTOIR_START_URL": start_url,
        "COMPTOIR_ALLOW_HOSTS": allow_hosts,
        "DOWNLOADER_MIDDLEWARES": {
            "crawlers.spiders.guard.OnlyTheShop": 10,
            "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
            "crawlers.spiders.guard.ObeyRobots": 100,
            "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
            "crawlers.spiders.guard.PatientRetry": 550,
        },
    }


def crawl(start_url: str, out: Path, allow_hosts: list[str], bounds: CrawlBounds) -> JsonLdSpider:
    """Crawl now, once in the life of this process. Raises DomainError for a refused address."""
    checked_url(start_url, allow_hosts)
    # A robots.txt that does not come is a refusal in the file; its traceback helps nobody.
    logging.getLogger("scrapy.downloadermiddlewares.robotstxt").setLevel(logging.CRITICAL)
    process = AsyncCrawlerProcess(crawl_settings(start_url, allow_hosts, bounds))
    crawler = process.create_crawler(JsonLdSpider)
    with out.open("wb") as file:
        process.crawl(
            crawler, start_url=start_url, allow_hosts=allow_hosts, out=file, bounds=bounds
        )
        process.start()
    spider = crawler.spider
    if not isinstance(spider, JsonLdSpider):
        raise TypeError("the crawler made no spider")
    return spider


def main() -> None:
    """The command line; prints one line of counts."""
    default = CrawlBounds()
    parser = argparse.ArgumentParser(description="Crawl a shop's JSON-LD from its sitemap.")
    parser.add_argument("--start-url", required=True, help="sitemap or robots.txt")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--allow-host", action="append", default=[], help="own host:port")
    parser.add_argument("--max-pages", type=int, default=default.pages)
    parser.add_argument("--max-seconds", type=float, default=default.seconds)
    parser.add_argument("--max-page-bytes", type=int, default=default.page_bytes)
    parser.add_argument("--max-total-bytes", type=int, default=default.total_bytes)
    parser.add_argument("--delay-s", type=float, default=default.delay_s)
    parser.add_argument("--requests-at-once", type=int, default=default.requests_at_once)
    chosen = parser.parse_args()
    bounds = CrawlBounds(
        pages=chosen.max_pages,
        seconds=chosen.max_seconds,
        page_bytes=chosen.max_page_bytes,
        total_bytes=chosen.max_total_bytes,
        delay_s=chosen.delay_s,
        requests_at_once=chosen.requests_at_once,
    )
    try:
        spider = crawl(chosen.start_url, chosen.out, chosen.allow_host, bounds)
    except DomainError as error:
        parser.error(f"{error.message} {error.hint}".strip())
    print(f"{spider.landed} offers, {spider.refused} refusals")  # noqa: T201 - the answer


if __name__ == "__main__":
    main()
