"""What a person is asked about the matching, what was decided, and everything that follows."""
