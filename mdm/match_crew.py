"""A run of the matcher shared out to processes of our own, where there is much to match.

They find candidates, compare and decide; they ask the catalogue through this process, which alone
has the transaction, and write nothing. The decision is that of one process, to the letter. One that
dies is done without: what is left of the run is done here.
"""

from __future__ import annotations

import gc
import pickle
import signal
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from traceback import format_exc
from typing import Any, Self, TypeVar

import structlog

from mdm.match.candidates import PieceIndex
from mdm.match.decision import Ruled
from mdm.match.living_catalogue import LivingCatalogue, LivingOffer
from mdm.match.scoring import Alone, Run, Scoring, Share

ALONE_BELOW = 2_000
"""Fewer newcomers are matched before other processes have even started."""
MOST_PROCESSES = 8
NAME = "comptoir-matching"
STOP_WITHIN_S = 5.0
_Part = TypeVar("_Part")
_Made = TypeVar("_Made")
_Question = Callable[[LivingCatalogue], Any]


@dataclass(frozen=True, slots=True)
class _Asks:
    """What another process wants of the catalogue before it goes on."""

    question: _Question


@dataclass(frozen=True, slots=True)
class _Gives:
    """What it made of its part; or why it could not, in words."""

    made: Any
    failure: str | None = None


class PutOffError(Exception):
    """Somebody goes ahead of this run: nothing of it counts."""


class _LostError(Exception):
    """Another process is there no longer."""


class _Hand:
    """Another process, and the way to it."""

    def __init__(self) -> None:
        # Not forked: this process has threads, and locks on its indices.
        context = get_context("spawn")
        self.connection, there = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=_serve, args=(there,), name=NAME, daemon=True
        )
        try:
            self.process.start()
        except OSError as error:
            raise _LostError from error
        finally:
            there.close()

    def send(self, message: bytes) -> None:
        """_LostError where nobody is there."""
        try:
            self.connection.send_bytes(message)
        except OSError as error:
            raise _LostError from error

    def receive(self) -> _Asks | _Gives:
        """_LostError where nothing comes any more."""
        try:
            received: _Asks | _Gives = self.connection.recv()
        except (EOFError, OSError) as error:
            raise _LostError from error
        return received

    def end(self) -> None:
        """It has nothing that could be lost."""
        self.connection.close()
        if self.process.pid is not None:
            self.process.kill()
            self.process.join(STOP_WITHIN_S)


class Crew:
    """So many processes at most, started when they are first of use. Use as a context manager."""

    def __init__(self, processes: int) -> None:
        self._processes = min(processes, MOST_PROCESSES)
        self.hands: list[_Hand] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def begin(
        self, catalogue: LivingCatalogue, run: Run, gives_way: Callable[[], bool] | None = None
    ) -> Share:
        """`mdm.match.scoring.Begin`: the run shared out, or done here where that is quicker. While
        less than half of the newcomers have been looked up it ends in a PutOffError where
        `gives_way` says so, which is asked again and again."""
        opened = catalogue.index.shared()
        if self._processes < 2 or len(run.contenders) < ALONE_BELOW or opened is None:
            alone = Alone(catalogue, run)
            return _Yielding(alone, gives_way) if gives_way else alone
        return _Shared(self, catalogue, run, opened, gives_way)

    def open(self, opening: bytes) -> None:
        """Begin the same run everywhere. _LostError."""
        while len(self.hands) < self._processes:
            self.hands.append(_Hand())
        for hand in self.hands:
            hand.send(opening)

    def give_up(self) -> None:
        """From now on everything is done here: what ended one process would end the next."""
        self._processes = 1
        self.end()

    def end(self) -> None:
        """End all of them."""
        for hand in self.hands:
            hand.end()
        self.hands = []


@dataclass(frozen=True, slots=True)
class _Yielding:
    """A run that is done here, unless somebody goes ahead of it."""

    alone: Alone
    gives_way: Callable[[], bool]

    def each(
        self, work: Callable[[Scoring, _Part], _Made], parts: Sequence[_Part]
    ) -> Iterator[_Made]:
        """What `work` makes of each part."""
        for place, part in enumerate(parts):
            if _is_early(work, place, parts) and self.gives_way():
                raise PutOffError
            yield from self.alone.each(work, [part])


def _is_early(work: Callable[..., Any], done: int, parts: Sequence[Any]) -> bool:
    """Less is lost than there is still to do."""
    return work is Scoring.found and done * 2 < len(parts)


class _Shared:
    """A run that is under way in several processes."""

    def __init__(
        self,
        crew: Crew,
        catalogue: LivingCatalogue,
        run: Run,
        opened: Callable[[], PieceIndex],
        gives_way: Callable[[], bool] | None,
    ) -> None:
        self._crew = crew
        self._gives_way = gives_way
        self._catalogue = catalogue
        self._run = run
        self._alone: Alone | None = None
        try:
            crew.open(pickle.dumps((opened, run)))
        except _LostError:
            self._do_without()

    def each(
        self, work: Callable[[Scoring, _Part], _Made], parts: Sequence[_Part]
    ) -> Iterator[_Made]:
        """What `work` makes of each part, in their order."""
        made: dict[int, _Made] = {}
        try:
            if self._alone is None:
                self._hand_out(work, parts, made)
        except _LostError:
            self._do_without()
        except PutOffError:
            raise
        except BaseException:
            # In the middle of a question: they cannot be asked anything else.
            self._crew.end()
            raise
        for number, part in enumerate(parts):
            if number in made:
                yield made.pop(number)
            elif self._alone is not None:
                yield from self._alone.each(work, [part])

    def _hand_out(
        self,
        work: Callable[[Scoring, _Part], _Made],
        parts: Sequence[_Part],
        made: dict[int, _Made],
    ) -> None:
        """A part to each process, and the next to whoever is done. Before a PutOffError all of them
        have answered, and can be asked anything else."""
        left = deque(enumerate(parts))
        busy: dict[Connection, tuple[_Hand, int]] = {}

        def give(hand: _Hand) -> None:
            if left and self._is_put_off(work, left[0][0], parts):
                left.clear()
            if left:
                number, part = left.popleft()
                hand.send(pickle.dumps((work, part)))
                busy[hand.connection] = hand, number

        for hand in self._crew.hands:
            give(hand)
        while busy:
            for ready in wait(list(busy)):
                assert isinstance(ready, Connection)
                hand, number = busy[ready]
                message = hand.receive()
                if isinstance(message, _Asks):
                    hand.send(pickle.dumps(message.question(self._catalogue)))
                    continue
                if message.failure:
                    raise RuntimeError(f"a matching process failed: {message.failure}")
                made[number] = message.made
                del busy[ready]
                give(hand)
        if len(made) < len(parts):
            raise PutOffError

    def _is_put_off(self, work: Callable[..., Any], place: int, parts: Sequence[Any]) -> bool:
        gives_way = self._gives_way
        return gives_way is not None and _is_early(work, place, parts) and gives_way()

    def _do_without(self) -> None:
        log = structlog.get_logger("mdm.match_crew")
        log.warning("a matching process ended; the rest is matched without others")
        self._crew.give_up()
        self._alone = Alone(self._catalogue, self._run)


class _AskedCatalogue:
    """The catalogue as another process has it: the index is opened, all else is asked for."""

    def __init__(self, connection: Connection, index: PieceIndex) -> None:
        self._connection = connection
        self.index = index

    def offers(self, offer_ids: Collection[str]) -> Sequence[LivingOffer]:
        """Those of these offers that are live."""
        found: Sequence[LivingOffer] = self._ask(partial(_offers, [*offer_ids]))
        return found

    def products(self, offer_ids: Collection[str]) -> Mapping[str, str]:
        """The products of those of these offers that are live."""
        found: Mapping[str, str] = self._ask(partial(_products, [*offer_ids]))
        return found

    def members(self, product_ids: Collection[str]) -> Sequence[LivingOffer]:
        """All live offers of these products."""
        found: Sequence[LivingOffer] = self._ask(partial(_members, [*product_ids]))
        return found

    def around(
        self, product_ids: Collection[str], offer_ids: Collection[str]
    ) -> tuple[Sequence[LivingOffer], Ruled]:
        """All live offers of these products; what stewards decided about them and these offers."""
        found: tuple[Sequence[LivingOffer], Ruled]
        found = self._ask(partial(_around, [*product_ids], [*offer_ids]))
        return found

    def ruled(self, offer_ids: Collection[str]) -> Ruled:
        """What stewards decided about these offers."""
        found: Ruled = self._ask(partial(_ruled, [*offer_ids]))
        return found

    def _ask(self, question: _Question) -> Any:
        self._connection.send(_Asks(question))
        return self._connection.recv()


def _offers(offer_ids: list[str], catalogue: LivingCatalogue) -> Any:
    return catalogue.offers(offer_ids)


def _products(offer_ids: list[str], catalogue: LivingCatalogue) -> Any:
    return catalogue.products(offer_ids)


def _members(product_ids: list[str], catalogue: LivingCatalogue) -> Any:
    return catalogue.members(product_ids)


def _around(product_ids: list[str], offer_ids: list[str], catalogue: LivingCatalogue) -> Any:
    return catalogue.around(product_ids, offer_ids)


def _ruled(offer_ids: list[str], catalogue: LivingCatalogue) -> Any:
    return catalogue.ruled(offer_ids)


def _serve(connection: Connection) -> None:
    """What another process does, until the one that asks is there no longer."""
    # Ctrl-C reaches all of them; the one that asks says what becomes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(200_000, 20, 100)
    scoring: Scoring | None = None
    while True:
        try:
            first, second = connection.recv()
            if isinstance(second, Run):
                scoring = None
                scoring = Scoring(_AskedCatalogue(connection, first()), second)
                continue
            connection.send(_Gives(first(scoring, second)))
        except (EOFError, OSError):
            return
        except Exception:  # noqa: BLE001 - told where it can be handled
            connection.send(_Gives(None, format_exc()))
