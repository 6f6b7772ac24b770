"""Faults injected into a running study, and counted: `scripts/chaos --help` describes it."""
