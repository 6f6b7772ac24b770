"""Studies whose results are published."""
