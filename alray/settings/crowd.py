"""Settings of a simulated crowd: who answers, how often they err, what an answer costs."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from alray.settings.base import Count, NotNegative, Settings

Errors = Literal["structured", "uniform"]
Aggregate = Literal["one_coin", "joint", "dawid_skene", "majority", "glad", "mace"]

BY_STEPS: tuple[Aggregate, ...] = ("one_coin", "joint", "dawid_skene")
"""Ways to aggregate step by step (EM), each time from where the answers before led."""

BY_CROWD_KIT: tuple[Aggregate, ...] = ("glad", "mace")
"""Ways to aggregate that the library crowd-kit has."""

WORLD = (
    *("assessors", "errors", "rate", "skill_spread", "spammers", "skips"),
    *("table", "table_content", "cost"),
)
"""Settings of what assessors are like, which a team finds; the others it can choose."""

BelowOne = Annotated[float, Field(ge=0, lt=1)]


class CrowdSpec(Settings):
    """A crowd that answers in the place of the pool's labels, which stay the truth that metrics are computed by."""

    assessors: Count = Field(20, description="assessors in the crowd")
    errors: Errors = Field(
        "structured",
        description="structured: a wrong answer names a class that is easily taken for the true one, by the pool's own "
        "features; uniform: any other class alike",
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
    answers: Count = Field(3, description="answers bought for an object")
    cost: NotNegative = Field(0.05, description="price of an answer; a skip costs nothing")
    aggregate: Aggregate = Field(
        "one_coin",
        description="what the answers say together: one_coin (by each assessor's share of right answers), joint (the "
        "same, with what the network predicted of an object before it was asked about as its prior), dawid_skene (by "
        "each assessor's confusions, which take many answers to learn), majority (the most frequent answer), glad or "
        "mace (by crowd-kit: minutes for thousands of objects)",
    )

    @property
    def words(self) -> str:
        """The crowd in words."""
        who = f"{self.assessors} assessors" if self.assessors > 1 else "1 assessor"
        spam = f", {100 * self.spammers:.0f} % of them spammers" if self.spammers else ""
        skips = f", {100 * self.skips:.0f} % of questions skipped" if self.skips else ""
        many = "1 answer" if self.answers == 1 else f"{self.answers} answers"
        wrong = f"{100 * self.rate:.0f} % of answers wrong ({self.errors})"
        return (
            f"{who}{spam}, {wrong}{skips}; {many} an object at {self.cost:g}, read by "
            f"{self.aggregate}"
        )

    @property
    def label_cost(self) -> float:
        """What a label costs: its answers."""
        return self.answers * self.cost

    @model_validator(mode="after")
    def _asks_no_more_than_there_are(self) -> "CrowdSpec":
        if self.answers > self.assessors:
            raise ValueError(
                f"answers = {self.answers} is more than assessors = {self.assessors}: nobody answers twice for an "
                f"object; use answers={self.assessors} or more assessors"
            )
        return self
