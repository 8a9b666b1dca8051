"""Training of the learned score: sets in the plain form -> a JSON file."""
