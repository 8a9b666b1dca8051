"""Which index is live, as the database echoes it, while several processes say so."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from indexer.positions import Position, begin, echo_live, positions_of
from kernel.db import Database

INDICES = ("first", "second", "third")


def test_two_who_note_different_indices_take_turns(database: Database) -> None:
    """A refresh that saw the former index live, beside the switch to another."""
    with database.platform() as tx:
        for name in INDICES:
            begin(tx, "orchard", Position(name, 0, 1))

    def note(turn: int) -> None:
        with database.platform() as tx:
            echo_live(tx, "orchard", INDICES[turn % len(INDICES)])

    with ThreadPoolExecutor(4) as processes:
        list(processes.map(note, range(300)))
    with database.platform() as tx:
        assert [noted.live for noted in positions_of(tx, "orchard").values()].count(True) == 1
        echo_live(tx, "orchard", "second")
        assert positions_of(tx, "orchard")["second"].live
