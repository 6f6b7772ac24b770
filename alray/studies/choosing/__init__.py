"""Choosing objects to label from a pool of any size: part by part, the best of each, then the best of these."""
