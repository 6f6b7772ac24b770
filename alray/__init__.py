"""alray: which active-learning strategy saves how many labels on your pool of embeddings, and how sure is that."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from alray._version import __version__ as __version__

if TYPE_CHECKING:
    from alray.api import correlate as correlate
    from alray.api import sweep as sweep
    from alray.labelling.campaign import Campaign as Campaign
    from alray.labelling.choosing import choose as choose
    from alray.reporting.across import report_across as report_across
    from alray.reporting.api import report as report
    from alray.reporting.api import report_pair as report_pair
    from alray.reporting.notebook import load as load
    from alray.reporting.notebook import load_correlation as load_correlation
    from alray.reporting.writing import Report as Report
    from alray.settings.campaign import CampaignSpec as CampaignSpec
    from alray.settings.correlation import CorrelationSpec as CorrelationSpec
    from alray.settings.suspects import SuspectsSpec as SuspectsSpec
    from alray.settings.sweep import StudySpec as StudySpec
    from alray.settings.sweep import SweepSpec as SweepSpec
    from alray.studies.choosing.rule import ChoiceSeed as ChoiceSeed
    from alray.studies.choosing.trained import TrainedModality as TrainedModality
    from alray.studies.choosing.trained import TrainedNetwork as TrainedNetwork
    from alray.studies.choosing.work import ChoiceOptions as ChoiceOptions
    from alray.studies.choosing.work import LabelledObjects as LabelledObjects
    from alray.studies.correlation.results import Correlation as Correlation
    from alray.studies.suspects.finding import Suspects as Suspects
    from alray.studies.suspects.finding import suspects as suspects
    from alray.studies.sweep.results import Study as Study
    from alray.studies.sweep.results import Sweep as Sweep

_MODULES = {
    "Campaign": "labelling.campaign",
    "CampaignSpec": "settings.campaign",
    "ChoiceOptions": "studies.choosing.work",
    "ChoiceSeed": "studies.choosing.rule",
    "Correlation": "studies.correlation.results",
    "CorrelationSpec": "settings.correlation",
    "LabelledObjects": "studies.choosing.work",
    "Report": "reporting.writing",
    "Study": "studies.sweep.results",
    "StudySpec": "settings.sweep",
    "Suspects": "studies.suspects.finding",
    "SuspectsSpec": "settings.suspects",
    "Sweep": "studies.sweep.results",
    "SweepSpec": "settings.sweep",
    "TrainedModality": "studies.choosing.trained",
    "TrainedNetwork": "studies.choosing.trained",
    "choose": "labelling.choosing",
    "correlate": "api",
    "load": "reporting.notebook",
    "load_correlation": "reporting.notebook",
    "report": "reporting.api",
    "report_across": "reporting.across",
    "report_pair": "reporting.api",
    "suspects": "studies.suspects.finding",
    "sweep": "api",
}
"""Public name: the module that holds it, imported when it is first used; `import alray` loads neither torch nor Ray."""


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"alray.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'alray' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
