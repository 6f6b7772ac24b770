"""The settings of one run, and its name, which holds a hash of them.

The hash covers *everything* that can change the run's records. So after a change of a default, an old result is never
taken for a new one.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from alray.settings.base import Settings
from alray.settings.common import (
    BATCH_RULES_BEFORE,
    FUSION_PARTS,
    ModelSpec,
    Precision,
    TrainingSpec,
    unusual_parts,
)
from alray.settings.crowd import CrowdSpec
from alray.settings.libraries import packages_of
from alray.settings.names import LONGEST
from alray.settings.questions import AskedSpec
from alray.settings.sweep import ScreenSpec, SweepSplitSpec

SCHEMA = 1
"""Number of the results' layout and of the meaning of settings: part of every run's identity."""

LONGEST_ID = LONGEST - len("..safetensors.tmp")
"""Most characters of a run's name: the longest file of its name is a checkpoint while it is being written."""

OPTIONAL = (
    "candidates",
    "screen",
    "evaluate_every",
    "strategy_code",
    "model_code",
    "gpu_precision",
    "initial_draw",
    "initial_selection",
    "crowd",
    "questions",
    "label_cost",
)
"""Settings that are part of a run's identity only where they are set."""

DESCRIPTIONS = {"arm", "variant", "against", "oracle", "full_data"}
"""Settings that only describe others."""

MEASURED = {"screen_precision"}
"""What is measured where a study begins: its manifest holds it."""

LATER = frozenset(
    {
        *("strategy", "strategy_options", "strategy_code"),
        *("query", "rounds", "candidates", "screen", "evaluate_every"),
    }
)
"""Settings that the passive phase does not depend on."""


class RunSpec(Settings):
    """One arm with one seed: everything that can change its records.

    Attributes:
        arm: The arm's label for displays.
        strategy: The strategy as the user writes it, without defaults.
        strategy_options: The strategy with all options: a changed default is another strategy.
        variant: The varied settings that differ from the study's own, "" where none does.
        against: The arm that it is compared with, "" where it is the random arm of its variant.
        oracle: Whether the strategy needs the labels.
        full_data: Whether it learns from every label of the train part and has no rounds.
        threads: Threads of the run: they change the order of sums, and a run with another number of them differs from
            it as one with another seed does.
        device: The device of the network, which acts in the same way.
        gpu_precision: Numbers of its products where they are not float32.
        initial_selection: How the initial labels are chosen where that is not at random.
        initial_draw: How the initial labels are drawn where it is not each object once.
        crowd: Who answers in the place of the pool's labels.
        questions: The yes/no questions that it asks in the place of labels.
        label_cost: Price of a label, beside arms that ask questions.
        evaluate_every: Metrics are computed in the rounds whose number is a multiple of it; None for all rounds.
        screen_precision: What a screen computes in whose own setting is left open: the manifest holds it, and not the
            run's name, as with `execution.products`.
        strategy_code: A hash of the source of a custom strategy, None for a built-in one.
        model_code: A hash of the source of a custom network, None for a built-in one.
    """

    arm: str
    strategy: str
    strategy_options: str
    variant: str
    against: str = ""
    oracle: bool
    seed: int
    study_seed: int
    pool_fingerprint: str
    pool_dtype: str
    split: SweepSplitSpec
    model: ModelSpec
    training: TrainingSpec
    initial: int
    query: int
    rounds: int
    metric_split: Literal["test", "validation"]
    threads: int
    device: Literal["cpu", "cuda"] = "cpu"
    gpu_precision: Literal["tf32", "bf16"] | None = None
    initial_draw: Literal["with_replacement"] | None = None
    initial_selection: Literal["centroid", "typiclust", "stratified"] | None = None
    crowd: CrowdSpec | None = None
    questions: AskedSpec | None = None
    label_cost: float | None = None
    candidates: int | None = None
    screen: ScreenSpec | None = None
    evaluate_every: int | None = None
    screen_precision: Precision = "int8"
    full_data: bool = False
    strategy_code: str | None = None
    model_code: str | None = None

    @property
    def precision(self) -> Precision:
        """What a screen computes in."""
        chosen = None if self.screen is None else self.screen.precision
        return chosen or self.screen_precision

    @property
    def packages(self) -> tuple[str, ...]:
        """The installed packages that compute something of it, besides alray's own."""
        begun = self.initial_selection
        return packages_of(model=self.model.name, initial_selection=begun, strategy=self.strategy)

    def identity(self) -> dict[str, Any]:
        """Return the settings that the run's name hashes: all but those that only describe others or are measured.

        A setting of `OPTIONAL` that is None is left out: runs that are older than these settings keep their names.
        A column that gives the split acts through the pool's fingerprint. One split for all seeds is left out too, and
        so is a screen in int8, as all screens were.
        """
        settings = self.model_dump(mode="json", exclude=DESCRIPTIONS | MEASURED)
        del settings["split"]["column"]
        if self.split.per == "study":
            del settings["split"]["per"]
        settings["training"] = _training_identity(self.training)
        settings["model"] = _model_identity(self.model)
        if self.screen is not None and self.screen.precision in (None, "int8"):
            del settings["screen"]["precision"]
        if self.crowd is not None:
            settings["crowd"] = _crowd_identity(self.crowd)
        unset = [name for name in OPTIONAL if settings[name] is None]
        return {
            "schema": SCHEMA,
            **{name: value for name, value in settings.items() if name not in unset},
        }

    def evaluates(self, round_number: int) -> bool:
        """Return whether metrics are computed in a round."""
        return round_number % (self.evaluate_every or 1) == 0

    @property
    def run_id(self) -> str:
        """The run's name, also of its files: strategy, seed and 12 hex digits of the identity's hash."""
        strategy = re.sub(r"[^A-Za-z0-9._-]", "-", self.strategy)
        ending = f"__seed-{self.seed}__{_hash(self.identity())}"
        return strategy[: LONGEST_ID - len(ending)] + ending

    @property
    def passive_id(self) -> str:
        """Name of the passive phase, shared by all runs that differ in later settings only."""
        identity = {key: value for key, value in self.identity().items() if key not in LATER}
        # These settings are used in the rounds only, so variants of them share one passive phase too.
        rounds_only = {"mode", "round_epochs", "batch_norm"}
        identity["training"] = {
            key: value for key, value in identity["training"].items() if key not in rounds_only
        }
        if "questions" in identity:
            identity["questions"] = {
                key: value for key, value in identity["questions"].items() if key != "per_round"
            }
        return f"passive__seed-{self.seed}__{_hash(identity)}"


def _training_identity(training: TrainingSpec) -> dict[str, Any]:
    """Return the training settings as older runs hashed them, with those that came later only where they act."""
    settings = training.model_dump(mode="json")
    names = {name: former for former, name in BATCH_RULES_BEFORE.items()}
    settings["batch_rule"] = names.get(training.batch_rule, training.batch_rule)
    if training.stopping != "from_labels":
        del settings["stopping_share"]
    if training.stopping == "held_out":
        del settings["stopping"]
    return settings


def _model_identity(model: ModelSpec) -> dict[str, Any]:
    """Return the network's settings as older runs hashed them, with those that came later only where they act."""
    settings = model.model_dump(mode="json")
    acting = unusual_parts(settings)
    return {
        key: value for key, value in settings.items() if key not in FUSION_PARTS or key in acting
    }


def _crowd_identity(crowd: CrowdSpec) -> dict[str, Any]:
    """Return the crowd's settings as older runs hashed them; a table acts through its content, wherever it lies."""
    usual = {"assign": "random", "relabel": "never", "table_content": None}
    settings = crowd.model_dump(mode="json", exclude={"table"})
    return {key: value for key, value in settings.items() if usual.get(key, ...) != value}


def _hash(identity: Mapping[str, Any]) -> str:
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
