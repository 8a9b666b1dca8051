"""Events to systems of customer care, accounting and support: signed, in order, never lost."""
