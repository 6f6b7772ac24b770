"""Settings of a simulated crowd: who answers, how often they err, what an answer costs."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from alray.settings.base import Count, NotNegative, Settings

Errors = Literal["structured", "uniform", "table"]
Aggregate = Literal["one_coin", "joint", "dawid_skene", "majority", "none", "glad", "mace"]
Assign = Literal["random", "best"]
Relabel = Literal["never", "disagreement", "active_lab"]

BY_STEPS: tuple[Aggregate, ...] = ("one_coin", "joint", "dawid_skene")
"""Ways to aggregate step by step (EM), each time from where the answers before led."""

BY_CROWD_KIT: tuple[Aggregate, ...] = ("glad", "mace")
"""Ways to aggregate that the library crowd-kit has."""

AGAIN: Mapping[Relabel, tuple[int, str]] = {
    "disagreement": (2, "more where they disagree"),
    "active_lab": (1, "by ActiveLab"),
}
"""Answers that an object gets at first, and why it gets more."""

NOT_WITH_TABLE = ("rate", "skill_spread", "spammers")
"""Settings of assessors that are made up: those of a table err as the table says."""

WORLD = (
    *("assessors", "errors", "rate", "skill_spread", "spammers", "skips"),
    *("table", "table_content", "cost"),
)
"""Settings of what assessors are like, which a team finds; the others it can choose."""

BelowOne = Annotated[float, Field(ge=0, lt=1)]


class CrowdSpec(Settings):
    """A crowd that answers in the place of the pool's labels, which stay the truth that metrics are computed by."""

    assessors: Count = Field(
        20, description="assessors in the crowd; with a table as many as it has workers"
    )
    errors: Errors = Field(
        "structured",
        description="structured: a wrong answer names a class that is easily taken for the true one, by the pool's own "
        "features; uniform: any other class alike; table: as the workers of a table err, which a given table implies",
    )
    table: str | None = Field(
        None,
        description="file of answers, CSV or Parquet, with the columns task, worker, label and, if known, truth: the "
        "crowd is these workers, who err as they do there; without a truth it is estimated (Dawid and Skene 1979)",
    )
    table_content: str | None = Field(
        None, description="filled in: a hash of the table's rows, by which a changed file is known"
    )
    rate: BelowOne = Field(0.2, description="share of wrong answers of a middling assessor")
    skill_spread: NotNegative = Field(
        0.5,
        description="how much assessors differ: standard deviation of the log odds of a wrong answer",
    )
    spammers: BelowOne = Field(
        0.0, description="share of assessors who answer at random, whatever is asked"
    )
    skips: BelowOne = Field(0.0, description="share of questions that an assessor skips")
    answers: Count = Field(
        3, description="answers bought for an object; with relabel the most that one gets"
    )
    relabel: Relabel = Field(
        "never",
        description="never: all answers about an object are bought at once; disagreement: two at first, and more, one "
        "at a time, while no class has more than half of them; active_lab: one at first, and a round buys as many "
        "answers as it queries objects, each about a new object or one that has answers, whichever helps most (Goh and "
        "Mueller 2023)",
    )
    assign: Assign = Field(
        "random",
        description="who is asked: random; or best: those who are likely to be right, by what the answers so far say, "
        "while everyone gets a chance (Thompson sampling)",
    )
    cost: NotNegative = Field(0.05, description="price of an answer; a skip costs nothing")
    aggregate: Aggregate = Field(
        "one_coin",
        description="what the answers say together: one_coin (by each assessor's share of right answers), joint (the "
        "same, with what the network predicted of an object before it was asked about as its prior), dawid_skene (by "
        "each assessor's confusions, which take many answers to learn), majority (the most frequent answer), none (the "
        "network learns each answer for itself), glad or mace (by crowd-kit: minutes for thousands of objects)",
    )

    @property
    def words(self) -> str:
        """The crowd in words."""
        who = f"{self.assessors} assessors" if self.assessors > 1 else "1 assessor"
        spam = f", {100 * self.spammers:.0f} % of them spammers" if self.spammers else ""
        skips = f", {100 * self.skips:.0f} % of questions skipped" if self.skips else ""
        wrong = f"{100 * self.rate:.0f} % of answers wrong ({self.errors})"
        if self.table is not None:
            wrong = f"who err as the workers of {self.table}"
        best = ", those likely to be right asked first," if self.assign == "best" else ""
        return (
            f"{who}{spam}, {wrong}{skips}; {self._many}{best} at {self.cost:g}, read by "
            f"{self.aggregate}"
        )

    @property
    def _many(self) -> str:
        """How many answers an object gets."""
        if self.relabel == "never":
            return (
                "1 answer an object" if self.answers == 1 else f"{self.answers} answers an object"
            )
        first, why = AGAIN[self.relabel]
        return f"{first} to {self.answers} answers an object ({why})"

    @property
    def label_cost(self) -> float | None:
        """What a label costs: its answers; None where labels differ in their number of answers."""
        return self.answers * self.cost if self.relabel == "never" else None

    @model_validator(mode="before")
    @classmethod
    def _err_as_the_table_says(cls, values: object) -> object:
        """Fill in the errors that a given table implies."""
        if isinstance(values, Mapping) and values.get("table") is not None:
            return {"errors": "table", **values}
        return values

    @model_validator(mode="after")
    def _has_a_table_where_it_is_used(self) -> "CrowdSpec":
        if self.errors == "table" and self.table is None:
            raise ValueError(
                "errors = table needs a file of answers: give table=FILE, CSV or Parquet with columns task, worker, "
                "label"
            )
        if self.errors != "table" and self.table is not None:
            raise ValueError(
                f"table = {self.table} is for errors = table, not errors = {self.errors}; leave one of them out"
            )
        if self.table_content is not None and self.table is None:
            raise ValueError("table_content is about a table; leave it out, or give table=FILE")
        if self.table is None:
            return self
        for name in NOT_WITH_TABLE:
            value = getattr(self, name)
            if value != type(self).model_fields[name].default:
                raise ValueError(
                    f"{name} = {value:g} changes nothing: the workers of {self.table} err as they do there; leave "
                    f"{name} or table out"
                )
        return self

    @model_validator(mode="after")
    def _asks_no_more_than_there_are(self) -> "CrowdSpec":
        # Before a table is read, how many assessors there are is not known.
        if self.table is not None and "assessors" not in self.model_fields_set:
            return self
        if self.answers > self.assessors:
            more = "" if self.table is not None else " or more assessors"
            raise ValueError(
                f"answers = {self.answers} is more than assessors = {self.assessors}: nobody answers twice for an "
                f"object; use answers={self.assessors}{more}"
            )
        return self

    @model_validator(mode="after")
    def _can_ask_again(self) -> "CrowdSpec":
        least = 1 if self.relabel == "never" else AGAIN[self.relabel][0] + 1
        if self.answers < least:
            raise ValueError(
                f"relabel = {self.relabel} with answers = {self.answers} asks nobody again: answers is the most that "
                f"an object gets; use answers={least} or more, or relabel=never"
            )
        return self
