"""Oscar's shipping app with one class replaced."""
