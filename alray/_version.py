"""The version, apart from everything so that reading it imports nothing."""

__version__ = "0.1.0"
