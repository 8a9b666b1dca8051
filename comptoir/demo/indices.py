"""Indices of a demonstration that was loaded by an earlier release."""

from __future__ import annotations

from collections.abc import Iterator

from comptoir.demo.steps import step
from comptoir.installation import Installation
from kernel.errors import DomainError
from tenants.brand import Brand


def build_again(installation: Installation) -> None:
    """Build anew what this release cannot read. Whoever runs a shop is asked to, and chooses the
    hour; whoever looks at a demonstration has only fetched a newer one."""
    old = list(_unreadable(installation))
    if not old:
        return
    from indexer.rebuild import rebuild

    with step("search index") as say:
        for brand in old:
            rebuild(installation.database, installation.engine, installation.encoder, brand)
        say(f"of an earlier release, built again: {', '.join(brand.name for brand in old)}")


def _unreadable(installation: Installation) -> Iterator[Brand]:
    for brand in installation.brands.brands().values():
        try:
            installation.engine.stats(brand.id)
        except DomainError as refusal:
            if refusal.code != "index_damaged":
                raise
            yield brand
