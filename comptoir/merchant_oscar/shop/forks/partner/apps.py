"""Registers the fork in the place of Oscar's own partner app."""

from oscar.apps.partner import apps


class PartnerConfig(apps.PartnerConfig):
    """The same app under our module name."""

    name = "forks.partner"

    def ready(self):
        """Connect Oscar's own receivers, which lie in its module and not in the fork."""
        from oscar.apps.partner import receivers  # noqa: F401
