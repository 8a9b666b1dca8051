"""What is made anew beside the questions: nobody waits for it, and a failure takes nothing away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from kernel.errors import DomainError
from search_api.renewed import Renewed


def soon(check: Callable[[], bool]) -> None:
    until = time.monotonic() + 30.0
    while not check():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_the_former_value_is_given_while_the_next_is_made() -> None:
    may_end, made = threading.Event(), iter(("first", "second", "third"))

    def make(key: str) -> str:
        value = next(made)
        if value == "second":
            assert may_end.wait(30)
        return f"{key} {value}"

    renewed = Renewed(make, "things", keep_s=0.0)
    assert renewed.made("a") == "a first"
    assert [renewed.latest("a") for _ in range(3)] == ["a first"] * 3
    may_end.set()
    soon(lambda: renewed.held("a") != "a first")
    assert renewed.held("a") == "a second"


def test_nothing_is_waited_for_where_there_is_none_yet() -> None:
    renewed = Renewed(str.upper, "things", keep_s=60.0)
    assert renewed.latest("a") in (None, "A")
    soon(lambda: renewed.latest("a") == "A")
    assert renewed.held("b") is None


@pytest.mark.parametrize("error", [DomainError("away", "It is away."), RuntimeError("broken")])
def test_a_failure_keeps_what_there_is(error: Exception) -> None:
    fails: list[Exception] = []
    tried = threading.Event()

    def make(key: str) -> str:
        if fails:
            tried.set()
            raise fails[0]
        return key

    renewed = Renewed(make, "things", keep_s=0.0)
    renewed.load("a")
    fails.append(error)
    assert renewed.latest("a") == "a"
    assert tried.wait(30)
    assert renewed.latest("a") == "a"
    with pytest.raises(type(error)):
        renewed.made("b")


def test_what_is_too_old_is_made_at_once() -> None:
    made = iter(range(9))
    renewed = Renewed(lambda _: next(made), "things", keep_s=60.0, at_most_s=0.0)
    assert renewed.load("a") == 0
    soon(lambda: renewed.held("a") is None)
    assert renewed.made("a") == 1


def test_what_is_too_old_is_better_than_nothing_where_asked_for() -> None:
    made: list[str | DomainError] = [DomainError("away", "It is away."), "new"]

    def make(_: str) -> str:
        found = made.pop(0) if len(made) > 1 else made[0]
        if isinstance(found, DomainError):
            raise found
        return found

    renewed = Renewed(make, "things", keep_s=60.0, at_most_s=0.0)
    with pytest.raises(DomainError):
        renewed.last("a")
    assert renewed.last("a") == "new"
    made[:] = [DomainError("away", "It is away.")]
    soon(lambda: renewed.held("a") is None)
    assert renewed.last("a") == "new"
    with pytest.raises(DomainError):
        renewed.made("a")
