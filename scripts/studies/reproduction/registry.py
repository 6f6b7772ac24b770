"""All parts, in the order of the study's figures."""

from collections.abc import Mapping

from studies.reproduction.parts import REFERENCE, Arm, Part, against, arms_of, titled
from studies.reproduction.registered_studies import (
    BATCHES,
    BLOCKS,
    COMMITTEE,
    COMMITTEES,
    DIGITS,
    DOUBT,
    ENCODED,
    ENCODERS,
    FIXED_WEIGHTS,
    FROZEN,
    FUSIONS,
    HEADS,
    IDEAL,
    LEARNING_LOSS,
    LONG,
    LOSSES,
    MEMBERS,
    MODES,
    NETWORKS,
    ORIGINAL,
    ORIGINAL_DIGITS,
    RULES,
    SOUND,
    SOUND_DIGITS,
    UNCERTAINTY,
    USUAL,
)

_FROZEN, _SCRATCH = "batch_norm=frozen", "mode=scratch"


def _networks() -> dict[str, Arm]:
    arms = {}
    for block in BLOCKS:
        for fusion in FUSIONS:
            differing = [
                f"{name}={value}"
                for name, value, usual in (
                    ("block", block, BLOCKS[0]),
                    ("fusion", fusion, FUSIONS[0]),
                )
                if value != usual
            ]
            arms[f"{fusion}, {block}"] = Arm("networks", REFERENCE, ", ".join(differing))
    for encoder in ENCODERS[1:]:
        named = "linear encoders" if encoder == "linear" else "no encoders"
        arms[f"concat, {named}"] = Arm("encoders", REFERENCE, f"encoder={encoder}")
    return arms


def _batch_arms() -> dict[str, Arm]:
    return {
        f"{strategy}, {rule}": Arm("batches", strategy, f"batch_rule={rule}" * (rule != "even"))
        for strategy in BATCHES.strategies
        for rule in RULES
    }


def _frozen_arms() -> dict[str, Arm]:
    return {
        **arms_of(FROZEN),
        **{f"{titled(name)}, frozen": Arm("frozen", name, _FROZEN) for name in FROZEN.strategies},
    }


def _mode_arms() -> dict[str, Arm]:
    return {
        **arms_of(MODES),
        **{f"{titled(name)}, scratch": Arm("modes", name, _SCRATCH) for name in MODES.strategies},
    }


CONTROL = f"{REFERENCE} + loss predictor"
_DOUBT = tuple(map(titled, DOUBT))
_networks_first = "concat, plain"

PARTS: Mapping[str, Part] = {
    part.name: part
    for part in (
        Part(
            "heads",
            "Figures 3 and 4",
            "Three heads or one, and how their losses are weighted",
            sweeps=(HEADS, LOSSES, FIXED_WEIGHTS),
            arms={
                "one head": Arm("heads", REFERENCE, "heads=one"),
                "three heads, learned noise": Arm("heads", REFERENCE),
                "three heads, plain sum": Arm("losses", REFERENCE, "loss=sum"),
                "three heads, fixed weights": Arm("fixed-weights", REFERENCE),
            },
            pairs=against(
                "three heads, learned noise",
                "one head",
                "three heads, plain sum",
                "three heads, fixed weights",
            ),
        ),
        Part(
            "networks",
            "Table of configurations",
            "The base model: layers, fusion and encoders, by validation accuracy at 2,000 labels",
            sweeps=(NETWORKS, ENCODED),
            arms=_networks(),
            pairs=against(
                _networks_first, *(name for name in _networks() if name != _networks_first)
            ),
            metric="validation_accuracy",
        ),
        Part(
            "batches",
            "Figures 5 and 6",
            "Batches of a fixed size against batches that adapt to the number of labels",
            sweeps=(BATCHES,),
            arms=_batch_arms(),
            pairs=tuple(
                (f"{strategy}, {rule}", f"{strategy}, fixed")
                for strategy in ("margin", REFERENCE)
                for rule in ("published", "even", "upsample")
            ),
        ),
        Part(
            "uncertainty",
            "Figure 7",
            "Least confidence, margin and entropy against random, in the study's training",
            sweeps=(UNCERTAINTY,),
            arms=arms_of(UNCERTAINTY),
            pairs=against(REFERENCE, *_DOUBT),
        ),
        Part(
            "uncertainty-defaults",
            "Figure 7, by alray's defaults",
            "The same with alray's default batches (even, of 64)",
            sweeps=(USUAL,),
            arms=arms_of(USUAL),
            pairs=against(REFERENCE, *_DOUBT),
        ),
        Part(
            "committee",
            "Figures 9 and 10",
            f"The same by a committee of {MEMBERS} dropout masks, and BALD",
            sweeps=(COMMITTEES,),
            arms=arms_of(COMMITTEES),
            pairs=against(REFERENCE, "margin", *map(titled, COMMITTEE)),
        ),
        Part(
            "frozen",
            "Figure 11",
            "BatchNorm that is frozen in the active phase, with a random arm of its own",
            sweeps=(FROZEN,),
            arms=_frozen_arms(),
            pairs=(
                ("BALD", REFERENCE),
                ("BALD, frozen", "random, frozen"),
                ("random, frozen", REFERENCE),
                ("BALD, frozen", REFERENCE),
                ("margin, frozen", "random, frozen"),
            ),
        ),
        Part(
            "learning-loss",
            "Figure 12",
            "Learning loss, against random choice by a network that is trained alike",
            sweeps=(LEARNING_LOSS,),
            arms={**arms_of(LEARNING_LOSS), CONTROL: Arm("learning-loss", CONTROL)},
            pairs=(("learning loss", CONTROL), (CONTROL, REFERENCE)),
        ),
        Part(
            "ideal",
            "Figures 13 and 14",
            "The true loss as a score: the largest first, and the smallest first",
            sweeps=(IDEAL,),
            arms=arms_of(IDEAL),
            pairs=against(REFERENCE, "ideal loss", "reverse ideal loss"),
        ),
        Part(
            "digits",
            "Figure 15",
            "The true loss on MNIST, beside least confidence, margin and entropy",
            data=("mnist",),
            sweeps=(DIGITS,),
            arms=arms_of(DIGITS),
            pairs=against(REFERENCE, *_DOUBT, "ideal loss", "reverse ideal loss"),
        ),
        Part(
            "long",
            "Figures 10 and 16",
            "The long run, to the end of the train part",
            sweeps=(LONG,),
            arms=arms_of(LONG),
            pairs=against(REFERENCE, "margin", "BALD"),
        ),
        Part(
            "modes",
            "Text: fine-tuning",
            "An epoch of fine-tuning in each round, or training from fresh weights",
            sweeps=(MODES,),
            arms=_mode_arms(),
            pairs=(
                *((name, REFERENCE) for name in (*_DOUBT, "BALD")),
                *((f"{name}, scratch", "random, scratch") for name in (*_DOUBT, "BALD")),
                ("random, scratch", REFERENCE),
            ),
        ),
        Part(
            "correlation",
            "Tables 1 and 2",
            "Does a group's mean loss or margin go with what the group teaches?",
            correlations=(SOUND, ORIGINAL),
        ),
        Part(
            "correlation-digits",
            "Tables 1 and 2, on MNIST",
            "The same on MNIST",
            data=("mnist",),
            correlations=(SOUND_DIGITS, ORIGINAL_DIGITS),
        ),
        Part(
            "windows",
            "Tables 1 and 2, simulated",
            "What overlapping windows do to the test of a correlation, where there is none",
            data=("none",),
        ),
        Part(
            "costs",
            "Text: costs",
            "What a query costs, by pool size and committee members",
            data=("none",),
        ),
    )
}
