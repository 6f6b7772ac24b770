"""Rules for when to stop labelling, replayed over finished curves."""
