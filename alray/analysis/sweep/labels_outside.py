"""Labels that a sweep uses and its budget does not count: for early stopping, and for measuring."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from alray.analysis.wording import joined

KEY = "labels_outside"
"""The manifest's entry."""

STOPPING, CHOOSING, MEASURING = "early stopping", "choosing", "measuring"
"""Uses of labels, as sentences name them."""


@dataclass(frozen=True)
class LabelsOutside:
    """Labels outside the budget: use -> number of labels; empty where they are not on record."""

    uses: Mapping[str, int]

    @property
    def words(self) -> str:
        """`+ 573 for early stopping, 1,143 for measuring`; empty where nothing is known."""
        parts = ", ".join(f"{number:,} for {use}" for use, number in self.uses.items())
        return f"+ {parts}" if parts else ""

    @property
    def entry(self) -> dict[str, dict[str, int]]:
        """The manifest's entry, by its name."""
        return {KEY: dict(self.uses)}

    def cost(self, label_cost: float | None, currency: str) -> str:
        """Return a sentence on what these labels cost, or nothing where there is no price or no number.

        A campaign has to buy the labels that it stops by. Those that only measure are needed to compare strategies.
        """
        if label_cost is None or not self.uses:
            return ""
        money = {
            use: f"{number:,} labels for {use} ({number * label_cost:,.2f} {currency}".rstrip()
            + ")"
            for use, number in self.uses.items()
        }
        measuring = money.pop(MEASURING, "")
        bought = " and ".join(money.values())
        sentences = []
        if bought:
            sentences.append(
                f"Every strategy also uses {bought}, which the labels counted here leave out and a campaign has to buy."
            )
        if measuring:
            sentences.append(f"The {measuring} are no part of what a campaign has to buy.")
        return " ".join(sentences)


def labels_outside(manifest: Mapping[str, Any]) -> LabelsOutside:
    """Return what a study's manifest says of labels outside the budget."""
    recorded = manifest.get(KEY) or {}
    return LabelsOutside({str(use): int(number) for use, number in recorded.items()})


def count_outside(
    stopping: Iterable[str],
    metric_split: Literal["test", "validation"],
    *,
    validation: int,
    test: int,
    choosing: bool = False,
) -> LabelsOutside:
    """Return the labels outside the budget of a study.

    Args:
        stopping: `training.stopping` of each arm.
        metric_split: The part that metrics are reported on.
        choosing: Whether variants are chosen by their metrics on the validation part.
        validation: Objects of the validation part.
        test: Objects of the test part.
    """
    kinds = set(stopping)
    held_out = "held_out" in kinds
    some = "" if kinds == {"held_out"} else " where training.stopping is held_out"
    on_validation = metric_split == "validation"
    uses = [CHOOSING] * choosing + [MEASURING] * on_validation
    # What all arms use the validation part for names its labels; what some do adds none.
    if held_out and not (some and uses):
        uses.insert(0, f"{STOPPING}{some}")
    counted = {joined(uses): validation} if uses else {}
    return LabelsOutside(counted if on_validation else {**counted, MEASURING: test})
