"""Other libraries' strategies as alray's: they get what the scoring engine computed, and never the model."""
