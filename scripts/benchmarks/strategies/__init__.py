"""Seconds and memory of a query by each strategy, beside the same strategy of other libraries."""
