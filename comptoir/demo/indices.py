"""Indices of the demonstration: those that are missing, and those of an earlier release."""

from __future__ import annotations

from collections.abc import Iterator

from comptoir.demo.steps import step
from comptoir.installation import Installation
from kernel.errors import DomainError
from tenants.brand import Brand


def complete(installation: Installation) -> None:
    """Build the index of a brand that has none on this engine, or one of another model."""
    for brand in installation.brands.brands().values():
        stats = installation.engine.stats(brand.id)
        if stats is None or stats.model_id != installation.encoder.model_id:
            _build(installation, brand)


def build_again(installation: Installation) -> None:
    """Build anew what this release cannot read, before anything counts what is in it.

    A worker would do it, too, once it runs; the demonstration asks its indices before."""
    old = list(_unreadable(installation))
    if not old:
        return
    with step("search index") as say:
        for brand in old:
            _build(installation, brand)
        say(f"of an earlier release, built again: {', '.join(brand.name for brand in old)}")


def _build(installation: Installation, brand: Brand) -> None:
    # Imported by who builds: most starts do without.
    from indexer.rebuild import rebuild

    rebuild(installation.database, installation.engine, installation.encoder, brand)


def _unreadable(installation: Installation) -> Iterator[Brand]:
    for brand in installation.brands.brands().values():
        try:
            installation.engine.stats(brand.id)
        except DomainError as refusal:
            if refusal.code != "index_damaged":
                raise
            yield brand
