"""alray: which active-learning strategy saves how many labels on your pool of embeddings, and how sure is that."""

from alray._version import __version__

__all__ = ["__version__"]
