"""Oscar's own models, unchanged."""

from oscar.apps.partner.models import *  # noqa: F403
