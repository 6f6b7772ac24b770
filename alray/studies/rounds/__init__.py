"""A round of labelling, as replayed runs and campaigns have it: its draws, its fit, its choice, its stop set."""
