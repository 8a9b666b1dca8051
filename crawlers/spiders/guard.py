"""What a spider may connect to: the shop it was sent to, at an address that was judged.

Scrapy's own rules stop at names; these also refuse other ports, private addresses behind public
names, and anything but http(s). Every request passes, redirects and robots.txt included.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import RetryMiddleware
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.resolver import CachingThreadedResolver
from scrapy.robotstxt import RobotParser
from twisted.internet.base import ReactorBase
from twisted.internet.error import DNSLookupError

from kernel.errors import DomainError
from kernel.http import SCHEMES, checked_url, is_public

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

MAX_WAIT_S = 30
BUSY = frozenset({429, 503})


def netloc_of(url: str) -> str:
    """`host:port` of an address, with the port of its scheme; empty when there is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or SCHEMES.get(parts.scheme)
    except ValueError:
        return ""
    return f"{parts.hostname}:{port}" if parts.hostname and port else ""


def is_listed_site(url: str, sites: frozenset[str]) -> bool:
    """True when the address lies on one of the sites (`host:port`)."""
    return netloc_of(url) in sites


def sites_of(start_url: str, allow_hosts: Sequence[str]) -> frozenset[str]:
    """The shop's own site and those the operator named."""
    return frozenset({netloc_of(start_url), *(each.lower() for each in allow_hosts)})


class OnlyTheShop:
    """Downloader middleware: refuses what lies off the shop or at an address nobody may visit."""

    def __init__(self, crawler: Crawler) -> None:
        self._allow_hosts = crawler.settings.getlist("COMPTOIR_ALLOW_HOSTS")
        self._sites = sites_of(crawler.settings["COMPTOIR_START_URL"], self._allow_hosts)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Scrapy's constructor."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Pass, or raise IgnoreRequest with the reason."""
        if not is_listed_site(request.url, self._sites):
            raise IgnoreRequest("the address lies outside the shop")
        try:
            url = checked_url(request.url, self._allow_hosts)
        except DomainError as error:
            raise IgnoreRequest(error.message) from error
        # A number needs no resolver, so it is judged here; names are judged when resolved.
        is_number = url.host.replace(".", "").isdigit() or ":" in url.host
        if (
            is_number
            and netloc_of(request.url) not in self._allow_hosts
            and not is_public(url.host)
        ):
            raise IgnoreRequest("the address is not public")


class JudgingResolver(CachingThreadedResolver):
    """Resolves names to public addresses only, unless the operator named the host."""

    def __init__(self, reactor: ReactorBase, cache_size: int, timeout: float) -> None:
        super().__init__(reactor, cache_size, timeout)
        self.named: frozenset[str] = frozenset()

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: ReactorBase) -> Self:
        """Scrapy's constructor."""
        resolver = super().from_crawler(crawler, reactor)
        hosts = crawler.settings.getlist("COMPTOIR_ALLOW_HOSTS")
        resolver.named = frozenset(host.rpartition(":")[0].lower() for host in hosts)
        return resolver

    def getHostByName(self, name: str, timeout: Sequence[int] = ()) -> Deferred[str]:  # noqa: N802
        """The address connected to is the one judged: nothing is resolved a second time."""
        found = super().getHostByName(name, timeout)
        if name.lower() not in self.named:
            found.addCallback(self._judged, name)
        return found

    def _judged(self, address: str, name: str) -> str:
        if not is_public(address):
            raise DNSLookupError(f"{name} lies at an address that is not public")
        return address


class PatientRetry(RetryMiddleware):
    """Waits as long as a busy server asks, within reason, before the usual retry."""

    async def process_response(  # type: ignore[override]  # Scrapy awaits either kind
        self, request: Request, response: Response, *_: Any
    ) -> Request | Response:
        """Retry after the stated seconds; a longer wait is cut."""
        stated = (response.headers.get("Retry-After") or b"").decode("latin-1").strip()
        if response.status in BUSY and stated.isascii() and stated.isdigit() and len(stated) < 6:
            await asyncio.sleep(min(int(stated), MAX_WAIT_S))
        return super().process_response(request, response)


class RobotsUnknownError(IgnoreRequest):
    """robots.txt did not come, so that nothing may be fetched (RFC 9309, 2.3.1.4)."""


class ObeyRobots(RobotsTxtMiddleware):
    """Robots rules as the standard has them: a server in trouble allows nothing."""

    def process_request_2(self, rp: RobotParser | None, request: Request) -> None:
        """Scrapy allows everything when there are no rules; here that is decided by the status."""
        if rp is None:
            raise RobotsUnknownError("robots.txt did not come")
        super().process_request_2(rp, request)

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if response.status >= 500:
            self._robots_error(RobotsUnknownError(f"robots.txt: {response.status}"), netloc)
        else:
            await super()._parse_robots(response, netloc, request)
