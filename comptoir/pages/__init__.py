"""Pages of the back office: their frame and look, who is signed in."""
