"""The platforms that may buy here: their profiles, fetched from known places and kept a minute."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from comptoir.protocol_merchant.exchange import ProtocolError

KEPT_S = 60.0
MOST_KEPT = 100
MOST_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Platform:
    """What counts of a platform's profile. `webhook_url` is None where it wants no notices."""

    profile: str
    version: str
    keys: tuple[Mapping[str, Any], ...]
    webhook_url: str | None


class Platforms:
    """Profiles by address; only the origins named at the start are asked."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = frozenset(origins)
        self._kept: dict[str, tuple[float, Platform]] = {}
        self._lock = threading.Lock()

    def of(self, address: str) -> Platform:
        """The platform behind a profile address. 403 for a stranger, 424 where it is not there."""
        parts = urlsplit(address)
        if f"{parts.scheme}://{parts.netloc}" not in self._origins:
            raise ProtocolError(403, "platform_unknown", "This shop does not know the platform.")
        with self._lock:
            known = self._kept.get(address)
        if known is not None and time.monotonic() < known[0] + KEPT_S:
            return known[1]
        platform = _platform(address, _fetched(address))
        with self._lock:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[address] = (time.monotonic(), platform)
        return platform


def _fetched(address: str) -> Any:
    try:
        answer = httpx2.get(address, timeout=5, trust_env=False)
        if answer.status_code == 200 and len(answer.content) <= MOST_BYTES:
            return json.loads(answer.content)
    except (httpx2.HTTPError, ValueError, RecursionError):
        pass
    raise ProtocolError(424, "profile_unreachable", "The platform's profile cannot be had.")


def _platform(address: str, document: Any) -> Platform:
    try:
        ucp = document["ucp"]
        orders = ucp.get("capabilities", {}).get("dev.ucp.shopping.order", [{}])
        return Platform(
            profile=address,
            version=str(ucp["version"]),
            keys=tuple(document.get("keys") or document.get("signing_keys") or ()),
            webhook_url=orders[0].get("config", {}).get("webhook_url"),
        )
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise ProtocolError(424, "profile_invalid", "The platform's profile is none.") from error
