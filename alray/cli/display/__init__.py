"""The terminal: progress while a study runs, and its table at the end."""
