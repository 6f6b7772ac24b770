"""NumPy and SciPy only: tests, curves, bands, power, rank correlation."""
