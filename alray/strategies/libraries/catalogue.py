"""Which strategies of other libraries can be arms, with what each is given, and why others cannot."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Features = Literal["last", "pool"]
"""The input of the network's last layer, or the pool's own features."""

COMPARED = 20_000
"""Candidates of strategies that hold a table of all distances between them: 3 GB in float64."""


@dataclass(frozen=True)
class Known:
    """What a strategy is given.

    Attributes:
        model: The argument for a classifier, which answers with alray's probabilities; "" where there is none.
        features: The features that are its X unless an option says otherwise; None where it does not look at them.
        unit_length: Whether features are divided by their length unless an option says otherwise.
        classes: Whether its constructor gets all classes.
        required: Options that have no default that works here, each with a value that does.
        most: Most candidates, where it compares all with all; 0 for any number.
    """

    model: str = ""
    features: Features | None = None
    unit_length: bool = False
    classes: bool = False
    required: Mapping[str, str] = field(default_factory=dict)
    most: int = 0


KNOWN: Mapping[str, Mapping[str, Known]] = {
    "skactiveml": {
        "RandomSampling": Known(),
        "UncertaintySampling": Known("clf"),
        "Falcun": Known("clf"),
        "ProbabilisticAL": Known("clf", "last", required={"metric": "rbf"}),
        "Badge": Known("clf", "last"),
        "Clue": Known("estimator", "last"),
        "ContrastiveAL": Known("clf", "last"),
        "CoreSet": Known(features="last"),
        "GreedySamplingX": Known(features="pool", most=COMPARED),
        "TypiClust": Known(features="pool"),
        "ProbCover": Known(features="pool", unit_length=True, most=COMPARED),
        "MaxHerding": Known(features="pool", most=COMPARED),
        "CostEmbeddingAL": Known(features="pool", classes=True),
        "Quire": Known(features="pool", classes=True, most=2_000),
    },
    "small_text": {
        "RandomSampling": Known(),
        "BreakingTies": Known("clf"),
        "LeastConfidence": Known("clf"),
        "PredictionEntropy": Known("clf"),
        "EmbeddingKMeans": Known("clf", "last"),
        "ContrastiveActiveLearning": Known("clf", "last"),
        "GreedyCoreset": Known("clf", "last"),
        "LightweightCoreset": Known("clf", "last"),
    },
}
"""Library: strategy: what it is given."""

_REFITS = "it fits the model anew for each answer that a candidate may get"
_REGRESSION = "it is for regression, and alray compares classifiers"
_MEMBERS = "it needs what each member of a committee says of each object"
_KIND = "it works with a classifier of its library alone, and looks inside it"
_SECOND = "it fits a second classifier, which would have to be given"
_BASE = "a base of strategies is none itself"
_WRAPS = "it wraps another strategy, which would have to be given"
_ANNOTATORS = "it chooses among several annotators for each object, and alray's pools have one label for each"

REFUSED: Mapping[str, Mapping[str, str]] = {
    "skactiveml": {
        **dict.fromkeys(
            ("ExpectedErrorReduction", "MonteCarloEER", "ValueOfInformationEER"), _REFITS
        ),
        **dict.fromkeys(("QueryByCommittee", "GreedyBALD", "BatchBALD"), _MEMBERS),
        **dict.fromkeys(
            (
                "ExpectedModelChangeMaximization",
                "ExpectedModelOutputChange",
                "ExpectedModelVarianceReduction",
                "KLDivergenceMaximization",
                "GreedySamplingTarget",
                "RegressionTreeBasedAL",
            ),
            _REGRESSION,
        ),
        **dict.fromkeys(("FourDs", "EpistemicUncertaintySampling"), _KIND),
        **dict.fromkeys(("SubSamplingWrapper", "ParallelUtilityEstimationWrapper"), _WRAPS),
        **dict.fromkeys(
            (
                "SingleAnnotatorWrapper",
                "IntervalEstimationThreshold",
                "IntervalEstimationAnnotModel",
            ),
            _ANNOTATORS,
        ),
        "DiscriminativeAL": _SECOND,
        "DropQuery": "it asks the model about objects that it has changed",
    },
    "small_text": {
        **dict.fromkeys(("SEALS", "AnchorSubsampling", "SubsamplingQueryStrategy"), _WRAPS),
        "BALD": _MEMBERS,
        "DiscriminativeActiveLearning": _SECOND,
        "CategoryVectorInconsistencyAndRanking": "it is for objects with several labels each",
        **dict.fromkeys(
            (
                "QueryStrategy",
                "ConfidenceBasedQueryStrategy",
                "EmbeddingBasedQueryStrategy",
            ),
            _BASE,
        ),
    },
}
"""Library: strategy that cannot be an arm: the reason."""
