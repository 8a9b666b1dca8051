"""Tests that need the extra `models`; run in an environment of its own, `.venv-models`."""
