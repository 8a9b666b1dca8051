"""What is made from an index now and then, and made anew beside the questions, never within one.

In: what makes a value of a key. Out: the latest value. One thread makes the value of one key at a
time; where that fails, the former value stays and it is tried again after a while.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from kernel.errors import DomainError

RETRY_S = 10.0
"""Time until it is tried again where it failed."""
_LOG = logging.getLogger(__name__)

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class Renewed(Generic[KeyT, ValueT]):
    """Values by key, made anew when they are older than `keep_s` seconds; threads share it.

    Nothing older than `at_most_s` is given (but by `last`): what nobody asked about for a while.
    """

    def __init__(
        self,
        make: Callable[[KeyT], ValueT],
        what: str,
        *,
        keep_s: float,
        at_most_s: float = math.inf,
    ) -> None:
        self._make = make
        self._what = what
        self._keep_s, self._at_most_s = keep_s, at_most_s
        self._kept: dict[KeyT, tuple[float, ValueT]] = {}
        self._due: dict[KeyT, float] = {}
        self._making: set[KeyT] = set()
        self._lock = threading.Lock()

    def latest(self, key: KeyT) -> ValueT | None:
        """The value there is, none until the first one is made; a new one is begun when due."""
        if time.monotonic() >= self._due.get(key, -math.inf):
            self.renew(key)
        return self.held(key)

    def made(self, key: KeyT) -> ValueT:
        """The latest; where there is none it is made at once. Raises what making it raises."""
        if self.held(key) is None:
            return self.load(key)
        return self.latest(key) or self.load(key)

    def last(self, key: KeyT) -> ValueT:
        """As `made`; where it cannot be made, what there was, however old."""
        try:
            return self.made(key)
        except DomainError:
            kept = self._kept.get(key)
            if kept is None:
                raise
            return kept[1]

    def held(self, key: KeyT) -> ValueT | None:
        """The value there is, and nothing begun."""
        kept = self._kept.get(key)
        if kept is None or time.monotonic() - kept[0] > self._at_most_s:
            return None
        return kept[1]

    def load(self, key: KeyT) -> ValueT:
        """Made now, and kept. Raises what making it raises."""
        value = self._make(key)
        now = time.monotonic()
        self._kept[key] = (now, value)
        self._due[key] = now + self._keep_s
        return value

    def renew(self, key: KeyT) -> None:
        """Begin to make it, unless that is going on."""
        with self._lock:
            if key in self._making:
                return
            self._making.add(key)
        threading.Thread(target=self._take, args=(key,), daemon=True).start()

    def _take(self, key: KeyT) -> None:
        try:
            self.load(key)
        except DomainError as error:
            # The page says that the engine is away.
            _LOG.info("%s of %s not read: %s", self._what, key, error.message)
            self._due[key] = time.monotonic() + RETRY_S
        except Exception:  # noqa: BLE001 - a thread has nobody to tell
            _LOG.exception("%s of %s not read", self._what, key)
            self._due[key] = time.monotonic() + RETRY_S
        finally:
            self._making.discard(key)
