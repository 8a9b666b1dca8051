"""Oscar's partner app with one class replaced."""
