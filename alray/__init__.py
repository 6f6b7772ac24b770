"""alray: which active-learning strategy saves how many labels on your pool of embeddings, and how sure is that."""

from typing import TYPE_CHECKING, Any

from alray._version import __version__

if TYPE_CHECKING:
    from alray.api import Study, load, sweep
    from alray.spec import StudySpec

__all__ = ["Study", "StudySpec", "__version__", "load", "sweep"]


def __getattr__(name: str) -> Any:
    """Import the library's functions when they are first used: `import alray` alone loads neither torch nor Ray."""
    if name in ("Study", "load", "sweep"):
        from alray import api

        return getattr(api, name)
    if name == "StudySpec":
        from alray.spec import StudySpec

        return StudySpec
    raise AttributeError(f"module 'alray' has no attribute {name!r}")
