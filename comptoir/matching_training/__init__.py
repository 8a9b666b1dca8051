"""Training of the learned score (extra `models`): sets in the plain form -> a JSON file."""
