"""The files of a pool: find them, open them as one table, and say why one cannot be read."""
