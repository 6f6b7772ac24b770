"""Shared by all benchmarks: timing in turns, processes and programs, virtual environments, options, tables."""
