"""Who counts as one caller, who is not counted, and what a count costs."""

from __future__ import annotations

import time
import tracemalloc
from ipaddress import IPv4Address, IPv6Address

import pytest

from kernel.cache import MemoryCache
from kernel.errors import TooMany
from tenants.call_limits import CallLimits, Limit, networks

SEARCH = Limit("search", 5)


def limits(exempt: str = "") -> CallLimits:
    return CallLimits(MemoryCache(), b"secret", networks(exempt))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("203.0.113.7", "::ffff:203.0.113.7", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:0db8:0001:0002::1", "2001:DB8:1:2::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("not an address", "not an address", True),
        ("not an address", "", False),
    ],
)
def test_an_address_or_a_network_of_64_is_one_caller(one: str, other: str, same: bool) -> None:
    counting = limits()
    assert (counting.caller("b", one) == counting.caller("b", other)) is same


def test_a_caller_of_another_brand_or_installation_is_another_one() -> None:
    counting, other = limits(), CallLimits(MemoryCache(), b"other")
    names = {
        counting.caller("mirabelle", "203.0.113.7"),
        counting.caller("taktwerk", "203.0.113.7"),
        other.caller("mirabelle", "203.0.113.7"),
    }
    assert len(names) == 3
    assert not any("203" in str(name) for name in names)


def test_a_limit_is_for_each_door_and_caller() -> None:
    counting = limits()
    name = counting.caller("b", "203.0.113.7")
    assert [counting.wait_s(SEARCH, name) > 0 for _ in range(7)] == [False] * 5 + [True] * 2
    assert counting.wait_s(Limit("suggestions", 5), name) == 0
    assert counting.wait_s(SEARCH, counting.caller("b", "203.0.113.8")) == 0
    with pytest.raises(TooMany) as refused:
        counting.check(SEARCH, name)
    assert 1 <= (refused.value.retry_after_s or 0) <= 60
    assert "5 calls a minute" in refused.value.message


def test_looking_ahead_says_what_the_next_call_meets() -> None:
    counting = limits()
    name = counting.caller("b", "203.0.113.7")
    for _ in range(5):
        assert counting.full_s(SEARCH, name) == 0
        assert counting.wait_s(SEARCH, name) == 0
    assert counting.full_s(SEARCH, name) > 0


def test_no_calls_are_no_limit_and_the_exempt_are_not_counted() -> None:
    counting = limits("10.0.0.0/8, 2001:db8::/32,127.0.0.1")
    for host in ("10.1.2.3", "2001:db8:7::1", "127.0.0.1", "::ffff:10.0.0.1"):
        assert counting.caller("b", host) is None
    name = counting.caller("b", "11.0.0.1")
    assert name is not None
    assert [counting.wait_s(Limit("x", 0), name) for _ in range(9)] == [0] * 9
    assert [counting.wait_s(Limit("x", 1), None) for _ in range(9)] == [0] * 9


def test_a_million_callers_take_bounded_memory() -> None:
    counting = limits()
    for number in range(1 << 15):
        counting.wait_s(SEARCH, counting.caller("b", str(IPv4Address(number))))
    tracemalloc.start()
    try:
        for number in range(1 << 17):
            host = str(IPv6Address((0x20010DB8 << 96) + (number << 64)))
            counting.wait_s(SEARCH, counting.caller("b", host))
        grown = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert grown < 12 << 20


def test_a_count_takes_less_than_thirty_microseconds() -> None:
    counting = limits("10.0.0.0/8")
    hosts = [str(IPv6Address((0x20010DB8 << 96) + (n << 64))) for n in range(1_000)]
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for host in hosts:
            counting.wait_s(SEARCH, counting.caller("mirabelle", host))
        best = min(best, (time.perf_counter() - began) / len(hosts))
    assert best < 30e-6
