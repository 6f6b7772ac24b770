"""alray: which active-learning strategy saves how many labels on your pool of embeddings, and how sure is that."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from alray._version import __version__

if TYPE_CHECKING:
    from alray.api import Study, load, sweep
    from alray.correlation_api import Correlation, correlate, load_correlation
    from alray.correlation_spec import CorrelationSpec
    from alray.report_api import report, report_pair
    from alray.report_folder import Report
    from alray.spec import StudySpec

__all__ = [
    "Correlation",
    "CorrelationSpec",
    "Report",
    "Study",
    "StudySpec",
    "__version__",
    "correlate",
    "load",
    "load_correlation",
    "report",
    "report_pair",
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
    "Report": "report_folder",
    "report": "report_api",
    "report_pair": "report_api",
    "StudySpec": "spec",
}


def __getattr__(name: str) -> Any:
    """Import the library's functions when they are first used: `import alray` alone loads neither torch nor Ray."""
    if name in _MODULES:
        return getattr(import_module(f"alray.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'alray' has no attribute {name!r}")
