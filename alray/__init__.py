"""alray: which active-learning strategy saves how many labels on your pool of embeddings, and how sure is that."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from alray._version import __version__

if TYPE_CHECKING:
    from alray.api import Study, load, sweep
    from alray.correlation_api import Correlation, correlate, load_correlation
    from alray.correlation_spec import CorrelationSpec
    from alray.spec import StudySpec

__all__ = [
    "Correlation",
    "CorrelationSpec",
    "Study",
    "StudySpec",
    "__version__",
    "correlate",
    "load",
    "load_correlation",
    "sweep",
]

_MODULES = {
    "Study": "api",
    "load": "api",
    "sweep": "api",
    "Correlation": "correlation_api",
    "correlate": "correlation_api",
    "load_correlation": "correlation_api",
    "CorrelationSpec": "correlation_spec",
    "StudySpec": "spec",
}


def __getattr__(name: str) -> Any:
    """Import the library's functions when they are first used: `import alray` alone loads neither torch nor Ray."""
    if name in _MODULES:
        return getattr(import_module(f"alray.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'alray' has no attribute {name!r}")
