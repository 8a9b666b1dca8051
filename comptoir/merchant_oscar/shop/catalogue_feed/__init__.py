"""The shop's catalogue in and out: loading sheets, and pushing offers to a comparator."""
