"""Rules for when to stop labelling, by what a campaign knows: replayed over sweeps, and asked in a campaign."""
