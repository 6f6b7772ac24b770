"""The rows that a sweep keeps, with the meaning of each column, and how results become rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from alray.assessors.answers import Answers
from alray.assessors.class_tree import Questions
from alray.assessors.replies import Replies
from alray.pools.pool import Indices, Pool
from alray.settings.run import RunSpec
from alray.studies.rounds.record import Record as Record  # noqa: PLC0414 -- one of the names of this module


@dataclass(frozen=True, eq=False)
class AskedInRound:
    """The yes/no questions of a round.

    Attributes:
        replies: The answers.
        questions: All questions that there are.
    """

    replies: Replies
    questions: Questions


@dataclass(frozen=True)
class RoundResult:
    """What a round leaves behind.

    Attributes:
        record: A row of `rounds`: numbers by column name.
        indices: (k,) objects that were labelled, in order of preference; of yes/no questions, those that were asked
            about for the first time.
        scores: (k,) float64 what they were chosen by, NaN where by chance.
        answers: What a crowd answered in the round, None where none was asked.
        asked: The yes/no questions of the round, None where none are asked.
    """

    record: Record
    indices: Indices
    scores: npt.NDArray[np.float64]
    answers: Answers | None = None
    asked: AskedInRound | None = None


RUN_COLUMNS: Mapping[str, tuple[pa.DataType, str]] = {
    "study": (pa.string(), "name of the study"),
    "run_id": (
        pa.string(),
        "strategy, seed and a hash of everything that can change the run's result",
    ),
    "arm": (pa.string(), "strategy with its parameters and varied settings: what is compared"),
    "strategy": (pa.string(), "strategy with its parameters"),
    "variant": (
        pa.string(),
        "varied settings that differ from the study's own, empty where none does",
    ),
    "oracle": (
        pa.bool_(),
        "whether the strategy needs the labels, so that it is a diagnostic only",
    ),
    "full_data": (
        pa.bool_(),
        "whether the run learns from all labels of the train part: a ceiling, which no strategy is compared with",
    ),
    "seed": (pa.int64(), "run seed"),
}


ROUND_COLUMNS: Mapping[str, tuple[pa.DataType, str]] = {
    **RUN_COLUMNS,
    "round": (pa.int64(), "0 is the passive phase"),
    "labels": (pa.int64(), "labels known after the round's query"),
    "accuracy": (pa.float64(), "share of right predictions of the fused head on the metric split"),
    "macro_f1": (pa.float64(), "mean F1 over the classes that occur there"),
    "nll": (pa.float64(), "mean negative log-likelihood there, nats"),
    "ece": (pa.float64(), "expected calibration error there, 15 bins"),
    "balanced_accuracy": (pa.float64(), "mean recall of the classes that occur there"),
    "rare_recall": (
        pa.float64(),
        "mean recall there of the rarest fifth of the train part's classes, at least one",
    ),
    "validation_accuracy": (pa.float64(), "the same on the validation part"),
    "validation_macro_f1": (pa.float64(), "the same on the validation part"),
    "validation_nll": (pa.float64(), "the same on the validation part"),
    "validation_ece": (pa.float64(), "the same on the validation part"),
    "validation_balanced_accuracy": (pa.float64(), "the same on the validation part"),
    "query_classes": (pa.int64(), "distinct classes among the objects queried in the round"),
    "labelled_classes": (pa.int64(), "distinct classes among all labelled objects"),
    "query_diversity": (
        pa.float64(),
        "mean squared distance of two objects of the round's query, relative to that of random objects of the train "
        "part: 1 is as diverse as these; null in round 0 and where nothing new was labelled, and so are the next two",
    ),
    "query_density": (
        pa.float64(),
        "mean share of the train part's objects that lie in a sparser region than an object of the query does: .5 for "
        "random objects, more where it seeks dense regions",
    ),
    "query_duplicates": (
        pa.float64(),
        "share of the query with a near duplicate in the same query: nearer than a tenth of the usual distance",
    ),
    "scored": (
        pa.int64(),
        "objects scored to choose by; 0 in the passive phase and where chance chooses",
    ),
    "screen_recall": (
        pa.float64(),
        "share of the exact choice that the screen would have let through; in rounds of a screened run that score all "
        "candidates exactly, else null",
    ),
    "stop_objects": (
        pa.int64(),
        "objects of the stop set, whose predictions are followed from round to round: at most 2,000 of those that the "
        "round evaluates, the same for all rounds and arms of a seed; null in rounds without evaluation",
    ),
    "stop_kappa": (
        pa.float64(),
        "Cohen's kappa of the predictions for the stop set after this round and after the last evaluated one before: 1 "
        "where they are equal, 0 where they agree as by chance; null in round 0, and where both predict one class only",
    ),
    "stop_agreement": (
        pa.float64(),
        "share of the stop set that is predicted as after the last evaluated round before; null in round 0",
    ),
    "stop_entropy": (
        pa.float64(),
        "mean entropy of the predicted probabilities for the stop set, divided by the largest there can be: from 0 "
        "(sure) to 1",
    ),
    "stop_max_entropy": (pa.float64(), "the same of the object that it is largest for"),
    "stop_confidence": (pa.float64(), "mean probability of the predicted class for the stop set"),
    "stop_median_confidence": (pa.float64(), "median of these probabilities"),
    "stop_max_confidence": (pa.float64(), "the largest of these probabilities"),
    "train_loss": (pa.float64(), "mean training loss of the round's last epoch"),
    "epochs": (pa.int64(), "epochs of the round's fit"),
    "query_s": (pa.float64(), "seconds for scoring and selection"),
    "fit_s": (
        pa.float64(),
        "seconds for the fit; in the passive phase with its early stopping; on a GPU with others' work meanwhile",
    ),
    "eval_s": (pa.float64(), "seconds for evaluation"),
}


HEAD_COLUMNS: Mapping[str, str] = {
    "accuracy_<modality>": "accuracy of that modality's own head, on the objects that have it",
    "sigma_<head>": "sigma that weights the head's loss by 1 / sigma^2, as far as training has moved it from 1: it "
    "lags behind its optimum; 1 where it is not learned",
}


TIMING_COLUMNS = ("query_s", "fit_s", "eval_s")
"""The only columns of `rounds` in which two executions of the same run differ."""


QUERY_COLUMNS: Mapping[str, tuple[pa.DataType, str]] = {
    **RUN_COLUMNS,
    "round": (pa.int64(), "0 for the initial random labels"),
    "rank": (pa.int64(), "order of preference within the round, 0 first"),
    "id": (pa.string(), "the object"),
    "score": (pa.float64(), "what it was chosen by, null where by chance"),
    "label": (pa.string(), "the label that was revealed"),
}


ANSWER_COLUMNS: Mapping[str, tuple[pa.DataType, str]] = {
    **RUN_COLUMNS,
    "round": (pa.int64(), "round in which it was asked"),
    "id": (pa.string(), "the object"),
    "assessor": (
        pa.int64(),
        "who of a crowd was asked: assessors are the same people in all runs of a seed; of a table of answers its "
        "workers, in the order of their names; null where there is no crowd",
    ),
    "question": (
        pa.string(),
        "of a yes/no question what it is about: a class, a node of the tree of classes (` and all below it` where it "
        "is a class itself), or classes joined by ` or `; else null",
    ),
    "answer": (
        pa.string(),
        "class that was answered, or yes or no; null where the question was skipped",
    ),
    "cost": (pa.float64(), "price of the answer, 0 where it was skipped"),
}


QUESTION_COLUMNS: Mapping[str, tuple[pa.DataType, str]] = {
    "answers": (
        pa.float64(),
        "yes/no answers bought so far; of an arm that buys labels beside such arms, labels",
    ),
    "cost": (pa.float64(), "what they cost"),
    "partly_labelled": (
        pa.float64(),
        "objects that were asked about and do not count as labelled yet; `labels` counts the others",
    ),
    "wrong_labels": (
        pa.float64(),
        "share of the labelled objects whose likeliest class is not the true one: by the answers, and where these may "
        "be wrong by the network's prediction before the fit too, as it learns them",
    ),
}
"""Further columns of `rounds` where an arm of the study asks yes/no questions."""


STATUS_COLUMNS: Mapping[str, tuple[pa.DataType, str]] = {
    **RUN_COLUMNS,
    "against": (
        pa.string(),
        "arm that this one is compared with: random choice with the same settings, the training included; empty where "
        "it is that arm, null where an older alray wrote the row",
    ),
    "initial": (pa.int64(), "random labels that the run begins with"),
    "query": (pa.int64(), "labels that it queries in a round"),
    "parameters": (
        pa.int64(),
        "trained numbers of its network; null where an older alray wrote the row",
    ),
    "status": (pa.string(), "finished, failed or unfinished"),
    "asked": (
        pa.bool_(),
        "the last command asked for the run: a failed one is tried again by the same command; null where an older "
        "alray wrote the row",
    ),
    "error": (pa.string(), "why it failed, in a line; empty otherwise"),
    "traceback": (pa.string(), "the same in full"),
    "attempts": (pa.int64(), "how often the run was started in the command that ended it"),
    "rounds": (pa.int64(), "rounds that the run has when it is finished"),
    "rounds_done": (pa.int64(), "last round that is done, -1 where none is"),
    "seconds": (pa.float64(), "sum of the run's recorded seconds"),
    "host": (pa.string(), "where it ran last"),
    "machine": (
        pa.string(),
        "name of the machine of its rounds; several where it went on elsewhere",
    ),
    "software": (
        pa.string(),
        "versions of alray, with its source, of PyTorch, of scikit-learn where the network is one of its classifiers "
        "or objects are clustered, and of the library of its strategy; several where it went on with others",
    ),
}


def class_counts(labels: Indices, queried: Indices, labelled: Indices) -> Record:
    """Return how many classes there are among the objects of a query, and among all that are labelled."""
    return {
        "query_classes": len(np.unique(labels[queried])),
        "labelled_classes": len(np.unique(labels[labelled])),
    }


def run_values(study: str, run: RunSpec) -> dict[str, Any]:
    """Return the columns that name a run."""
    return {
        "study": study,
        **{name: getattr(run, name) for name in RUN_COLUMNS if name != "study"},
    }


def round_rows(name: Mapping[str, Any], results: Sequence[RoundResult]) -> list[dict[str, Any]]:
    """Return a row per round of the run of this name, as `run_values` has it; a metric that is undefined is null."""
    return [
        {
            **name,
            **{key: None if value != value else value for key, value in result.record.items()},  # noqa: PLR0124 -- NaN
        }
        for result in results
    ]


def query_rows(
    name: Mapping[str, Any], results: Sequence[RoundResult], pool: Pool
) -> list[dict[str, Any]]:
    """Return a row per object that the run of this name has queried."""
    return [
        {
            **name,
            "round": result.record["round"],
            "rank": rank,
            "id": str(pool.ids[index]),
            "score": None if np.isnan(score) else float(score),
            "label": pool.classes[pool.labels[index]],
        }
        for result in results
        for rank, (index, score) in enumerate(zip(result.indices, result.scores, strict=True))
    ]
