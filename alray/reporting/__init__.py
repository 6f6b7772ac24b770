"""Reports: a study's frames to one HTML page and the figures in it. Nothing here writes a file."""
