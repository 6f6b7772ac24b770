"""Measurements of alray's speed and memory: `scripts/bench --help` lists them."""
