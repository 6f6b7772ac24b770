"""The study's claims, in our words, each with the rule that judges it on a data set."""

from collections.abc import Callable
from dataclasses import dataclass

from studies.reproduction.evidence import Evidence
from studies.reproduction.registry import CONTROL, PARTS
from studies.reproduction.rules import Effect, Found, above_zero, alike, below_zero, of_size
from studies.reproduction.special_claims import (
    correlates,
    correlates_by_original,
    grows_linearly,
    is_best_of_its_table,
    last_batches_harm,
    same_ranking,
    saving_rises,
    windows_prove,
)

Rule = Callable[[Evidence, str], Found]


@dataclass(frozen=True)
class Claim:
    """A claim of the study.

    Attributes:
        figure: Where the study makes it.
        part: The part whose arms it is about.
        text: The claim in our words.
        rule: Judges it on a data set.
    """

    figure: str
    part: str
    text: str
    rule: Rule

    @property
    def data(self) -> tuple[str, ...]:
        """Names of the data sets that it is judged on."""
        return PARTS[self.part].data


def _area(
    part: str, arm: str, reference: str, judge: Callable[[Effect | None], Found] = above_zero
) -> Rule:
    return lambda evidence, data: judge(evidence.area(part, data, arm, reference))


def _end(
    part: str, arm: str, reference: str, judge: Callable[[Effect | None], Found] = above_zero
) -> Rule:
    return lambda evidence, data: judge(evidence.end(part, data, arm, reference))


def _at_share(part: str, arm: str, reference: str, share: float) -> Rule:
    """Judge the claim that an arm is behind at a share of the last label count."""

    def rule(evidence: Evidence, data: str) -> Found:
        arms = evidence.arms(part, data)
        last = float(arms[arm].labels[-1]) if arm in arms else 0.0
        return below_zero(evidence.at(part, data, arm, reference, share * last))

    return rule


def _reversed(judge: Callable[[Effect | None], Found]) -> Callable[[Effect | None], Found]:
    """Judge the difference of a pair the other way round: the reference minus the arm."""

    def judged(effect: Effect | None) -> Found:
        if effect is None:
            return judge(None)
        return judge(Effect(-effect.estimate, -effect.high, -effect.low, effect.seeds))

    return judged


_THREE = "three heads, learned noise"
_OTHER_WAY = _reversed(above_zero)

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "Fig. 3",
        "heads",
        "A head for each modality beside the fused one learns better than the fused one alone",
        _area("heads", "one head", _THREE, _OTHER_WAY),
    ),
    Claim(
        "Fig. 4",
        "heads",
        "Weighting the heads' losses by learned noise is better than their plain sum",
        _area("heads", "three heads, plain sum", _THREE, _OTHER_WAY),
    ),
    Claim(
        "Fig. 4",
        "heads",
        "Weighting them by learned noise is better than fixed weights (1, .5 and .5)",
        _area("heads", "three heads, fixed weights", _THREE, _OTHER_WAY),
    ),
    Claim(
        "Table of configurations",
        "networks",
        "Plain layers with fusion by concatenation are not beaten on validation",
        is_best_of_its_table,
    ),
    Claim(
        "Fig. 5",
        "batches",
        "With batches of a fixed size the active baseline (margin) learns worse than with the study's adaptive rule",
        _area("batches", "margin, published", "margin, fixed"),
    ),
    Claim(
        "Fig. 5",
        "batches",
        "What goes wrong with a fixed size: accuracy falls in the rounds whose last batch is tiny",
        last_batches_harm,
    ),
    Claim(
        "Fig. 6",
        "batches",
        "Filling up the last batch with objects drawn again helps as well",
        _area("batches", "margin, upsample", "margin, fixed"),
    ),
    *(
        claim
        for part, named in (
            ("uncertainty", "Fig. 7"),
            ("uncertainty-defaults", "Fig. 7, alray's defaults"),
        )
        for claim in (
            Claim(
                named, part, "Margin learns faster than random", _area(part, "margin", "random")
            ),
            Claim(
                named,
                part,
                "Least confidence learns as random does",
                _area(part, "least confidence", "random", alike),
            ),
            Claim(
                named,
                part,
                "Entropy learns slower than random",
                _area(part, "entropy", "random", below_zero),
            ),
        )
    ),
    Claim(
        "Fig. 9",
        "committee",
        "Margin by a committee learns faster than random",
        _area("committee", "committee margin", "random"),
    ),
    Claim(
        "Fig. 10",
        "committee",
        "BALD learns faster than random early",
        _area("committee", "BALD", "random"),
    ),
    Claim(
        "Fig. 10",
        "long",
        "BALD has fallen behind random when a fifth of the train part is labelled",
        _at_share("long", "BALD", "random", 0.2),
    ),
    Claim(
        "Fig. 11",
        "frozen",
        "BALD with frozen BatchNorm learns faster than random with live BatchNorm",
        _area("frozen", "BALD, frozen", "random"),
    ),
    Claim(
        "Fig. 11",
        "frozen",
        "BALD learns faster than random where both have frozen BatchNorm: the gain is the strategy's",
        _area("frozen", "BALD, frozen", "random, frozen"),
    ),
    Claim(
        "Fig. 11",
        "frozen",
        "Freezing BatchNorm changes nothing for random: the gain is not the training's",
        _area("frozen", "random, frozen", "random", alike),
    ),
    Claim(
        "Fig. 12",
        "learning-loss",
        "Learning loss chooses better than chance does in a network that is trained alike",
        _area("learning-loss", "learning loss", CONTROL),
    ),
    Claim(
        "Fig. 13",
        "ideal",
        "Choosing the largest true loss learns slower than random",
        _area("ideal", "ideal loss", "random", below_zero),
    ),
    Claim(
        "Fig. 14",
        "ideal",
        "Choosing the smallest true loss learns faster than random",
        _area("ideal", "reverse ideal loss", "random"),
    ),
    Claim(
        "Fig. 15",
        "digits",
        "On MNIST choosing the largest true loss learns faster than random",
        _area("digits", "ideal loss", "random"),
    ),
    *(
        Claim(
            "Fig. 15",
            "digits",
            f"On MNIST {arm} learns faster than random",
            _area("digits", arm, "random"),
        )
        for arm in ("least confidence", "margin", "entropy")
    ),
    Claim(
        "Table 1",
        "correlation",
        "A group teaches less, the larger its mean loss (printed: -.25)",
        correlates("loss", -1),
    ),
    Claim(
        "Table 1",
        "correlation",
        "A group teaches more, the larger its mean margin (printed: +.25)",
        correlates("margin", 1),
    ),
    Claim(
        "Table 1",
        "correlation",
        "The size -.25 of the loss, by the original's settings in disjoint groups",
        correlates_by_original("loss", -0.25),
    ),
    Claim(
        "Table 1",
        "correlation",
        "The size +.25 of the margin, by the original's settings in disjoint groups",
        correlates_by_original("margin", 0.25),
    ),
    Claim(
        "Table 2",
        "correlation-digits",
        "On MNIST a group teaches more, the larger its mean loss (printed: +.21)",
        correlates("loss", 1),
    ),
    Claim(
        "Table 2",
        "correlation-digits",
        "On MNIST a group teaches more, the larger its mean margin (printed: +.20)",
        correlates("margin", 1),
    ),
    Claim(
        "Tables 1 and 2",
        "windows",
        "A correlation of .25 over a hundred windows is more than chance",
        windows_prove,
    ),
    Claim(
        "Fig. 16",
        "long",
        "Margin reaches random's accuracy at the end of the train part with 26 % fewer labels",
        lambda evidence, data: of_size(evidence.saved("long", data, "margin", "random"), 0.26),
    ),
    Claim(
        "Fig. 16",
        "long",
        "Our reading: the saving is an effect of the end; at half of the labels margin saves less",
        saving_rises,
    ),
    Claim(
        "Text",
        "modes",
        "An epoch of fine-tuning a round ends where training from fresh weights does",
        _end("modes", "random, scratch", "random", alike),
    ),
    Claim(
        "Text",
        "modes",
        "Fine-tuning and fresh weights rank the strategies alike",
        same_ranking,
    ),
    Claim(
        "Text",
        "costs",
        "The cost of a round grows in a line with the pool: O(p log q)",
        grows_linearly("pool"),
    ),
    Claim(
        "Text",
        "costs",
        "The cost of a query by a committee grows in a line with its members: O(k p log q)",
        grows_linearly("members"),
    ),
)
