"""The demonstration: peers to talk to, a market to load, one terminal story."""
