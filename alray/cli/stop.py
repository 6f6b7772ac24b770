"""`alray stop`: when would rules have stopped labelling, and what would that have cost?"""

from typing import TYPE_CHECKING

import click

from alray.cli.options import LocationType
from alray.cli.running import console

if TYPE_CHECKING:
    from alray.settings.location import StudyPath


@click.command()
@click.argument("results", type=LocationType(), metavar="RESULTS")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="RULE",
    help="A rule with its options, such as kappa:window=3:threshold=.99; may be given several times; all: every rule.  "
    "[default: kappa, overall_uncertainty, classification_change, validation_patience, predicted_gain]",
)
@click.option(
    "--metric",
    metavar="NAME",
    help="What is lost: accuracy, macro_f1, balanced_accuracy, nll or rare_recall.  [default: accuracy]",
)
@click.option(
    "--label-cost",
    metavar="COST",
    help="What a label costs, such as 0.05 or '0.05 EUR': labels that are not bought become money.",
)
def stop(
    results: "StudyPath", rules: tuple[str, ...], metric: str | None, label_cost: str | None
) -> None:
    """Replay rules for when to stop labelling over a sweep's finished runs.

    For each arm and rule: where it would have stopped, what that loses against the best budget, and how many labels it
    spares. RESULTS is a sweep's folder, local or in an object store, or a table of learning curves, as for `alray
    report`. Nothing is written; `alray report --format csv` writes the table.
    """
    from alray.cli.display.stopping import print_stopping
    from alray.reporting.stopping import stopping

    print_stopping(console(), stopping(results, rules=rules, metric=metric, label_cost=label_cost))
