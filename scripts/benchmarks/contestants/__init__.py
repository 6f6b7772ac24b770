"""Ways to play a sweep's runs, each a program of its own: `python -m benchmarks.contestants.NAME TASK.json`."""
