"""How often one caller may use one door, counted in windows of a minute or longer.

A caller is an address at one brand: of IPv6 the /64 network, which one household has whole. It is
counted by a pseudonym, so no address is kept anywhere. Counts are shared by Redis where there is
one, and each process counts for itself where there is none or it is away: never is somebody
refused because a count cannot be read.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from kernel.cache import Cache
from kernel.errors import TooMany

Network = IPv4Network | IPv6Network
_MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls in a window, which begins with the first one. No calls: no limit."""

    door: str
    calls: int
    per_s: int = _MINUTE_S


class CallLimits:
    """`exempt` are networks whose callers are not counted: one's own front ends and probes."""

    def __init__(self, cache: Cache, secret: bytes, exempt: Iterable[Network] = ()) -> None:
        self.cache = cache
        # A key of its own: a name here says nothing about names elsewhere.
        self._key = hmac.digest(secret, b"tenants.call_limits", "sha256")
        self._exempt = tuple(exempt)

    def caller(self, brand_id: str, host: str) -> str | None:
        """The caller's name here; None for one who is not counted."""
        try:
            address = ip_address(host)
        except ValueError:
            counted = host.encode()
        else:
            if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
                address = address.ipv4_mapped
            if any(address in network for network in self._exempt):
                return None
            counted = address.packed if isinstance(address, IPv4Address) else address.packed[:8]
        whole = brand_id.encode() + b"\0" + counted
        return hmac.digest(self._key, whole, "sha256")[:12].hex()

    def wait_s(self, limit: Limit, name: str | None, times: int = 1) -> int:
        """Count calls. 0: they are within the limit; else the seconds until there is room."""
        if name is None or limit.calls == 0:
            return 0
        key = f"{limit.door}:{name}"
        return self.cache.wait_s(key, limit=limit.calls, per_s=limit.per_s, times=times)

    def full_s(self, limit: Limit, name: str | None) -> int:
        """What the next call would have to wait; nothing is counted."""
        if name is None or limit.calls == 0:
            return 0
        key = f"{limit.door}:{name}"
        return self.cache.wait_s(key, limit=limit.calls - 1, per_s=limit.per_s, times=0)

    def check(self, limit: Limit, name: str | None, times: int = 1) -> None:
        """Count calls. Raises TooMany."""
        wait = self.wait_s(limit, name, times)
        if wait:
            raise too_many(limit, wait)


def too_many(limit: Limit, wait_s: int) -> TooMany:
    """The refusal of a call that has to wait."""
    window = "minute" if limit.per_s == _MINUTE_S else f"{limit.per_s // _MINUTE_S} minutes"
    return TooMany(f"At most {limit.calls} calls a {window} are answered here.", wait_s)


def networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks parted by commas. ValueError for anything else."""
    named = (each.strip() for each in text.split(","))
    return tuple(ip_network(each, strict=False) for each in named if each)
