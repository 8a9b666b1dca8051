"""Merchants whose orders are binding: their systems take an order and cannot cancel it.

All or nothing can be kept with one of them, which is sent its order last. With two it cannot: the
second may refuse when the first can no longer be undone. So it is not offered, and the buyer reads
why before confirming.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from checkout.orders import read_capabilities
from checkout.quote_document import LegQuoted, Quote
from checkout.states import Policy
from kernel.db import Transaction
from kernel.errors import DomainError


def binding_legs(tx: Transaction, quote: Quote) -> tuple[LegQuoted, ...]:
    """The parts of a quote that are bought from such merchants."""
    return tuple(
        leg for leg in quote.legs if not read_capabilities(tx, leg.merchant_id).cancels_orders
    )


def policies_with(binding: Sequence[LegQuoted]) -> tuple[Policy, ...]:
    """What the buyer may choose where these parts are binding. Pure."""
    return tuple(Policy) if len(binding) <= 1 else (Policy.BEST_EFFORT,)


@dataclass(frozen=True, slots=True)
class PolicyChoice:
    """What the buyer chose so far, and the parts that limit the choice."""

    wanted: Policy = Policy.BEST_EFFORT
    binding: tuple[LegQuoted, ...] = ()

    @property
    def policy(self) -> Policy:
        """The choice, where there is one."""
        return self.wanted if self.wanted in policies_with(self.binding) else Policy.BEST_EFFORT


def check_policy(policy: Policy, binding: Sequence[LegQuoted]) -> None:
    """Raises DomainError `all_or_nothing_impossible`. Pure."""
    if policy not in policies_with(binding):
        raise DomainError(
            "all_or_nothing_impossible",
            "All or nothing cannot be promised: %(merchants)s do not cancel orders.",
            hint="Let the rest be bought all the same, or buy from one of them apart. "
            "Nothing was ordered.",
            values={"merchants": ", ".join(leg.merchant_name for leg in binding)},
        )
