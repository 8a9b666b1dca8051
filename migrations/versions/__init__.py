"""The history, oldest first: one file a step, named by its number."""
