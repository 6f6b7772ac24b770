"""`alray report`: the findings of studies as pages, pictures and tables."""

import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from alray.cli.options import LocationType
from alray.cli.running import console
from alray.cli.settings_options import words
from alray.errors import SpecError

if TYPE_CHECKING:
    from alray.reporting.writing import Report
    from alray.settings.location import StudyPath


@click.command()
@click.argument("results", nargs=-1, type=LocationType(), metavar="[RESULTS]...", required=False)
@click.option(
    "--compare",
    nargs=2,
    type=LocationType(),
    metavar="A B",
    help="Two sweeps of one pool side by side, on one page.",
)
@click.option(
    "--across",
    is_flag=True,
    help="All RESULTS together, on one page: ranks of the arms that all have, over their pools, and the safest arm.",
)
@click.option(
    "--out",
    type=LocationType(),
    metavar="DIR|URI",
    help="Folder to write to.  [default: the study's own; NAME-report beside a table]",
)
@click.option(
    "--against", metavar="ARM", help="Arm that others are compared with.  [default: random]"
)
@click.option(
    "--metric",
    metavar="NAME",
    help="What arms are compared by and figures show: accuracy, macro_f1, balanced_accuracy, nll or rare_recall; of a "
    "correlation study accuracy, macro_f1 or nll.  [default: accuracy]",
)
@click.option(
    "--format",
    "formats",
    default="html,svg,png",
    show_default=True,
    metavar="A,B",
    help="Any of html, svg, png, csv.",
)
@click.option(
    "--label-cost",
    metavar="COST",
    help="What a label costs, such as 0.05 or '0.05 EUR': labels saved become money.",
)
@click.option(
    "--x",
    metavar="AXIS",
    help="What curves, areas and savings are along: labels, answers (of a crowd) or cost (money).  [default: labels; "
    "cost where runs pay different amounts for a label]",
)
@click.option("--currency", metavar="NAME", help="Currency of what a crowd was paid, such as EUR.")
@click.option(
    "--target",
    "targets",
    type=float,
    multiple=True,
    metavar="SHARE",
    help="How many labels will each arm need for this value of the metric, such as 0.75? May be given several times.",
)
@click.option(
    "--horizon",
    type=click.IntRange(1),
    metavar="LABELS",
    help="What will each arm reach with so many labels, beyond the end of its curve?  [with --target: three times the "
    "labels of the study]",
)
@click.option(
    "--matters",
    type=click.FloatRange(0, 10),
    metavar="SHARE",
    help="Of a correlation study: smallest effect that a verdict counts, as a share of what a group changes.  "
    "[default: the study's own, 0.1 unless set]",
)
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
def report(
    results: tuple["StudyPath", ...],
    compare: tuple["StudyPath", "StudyPath"] | None,
    across: bool,
    out: "StudyPath | None",
    against: str | None,
    metric: str | None,
    formats: str,
    label_cost: str | None,
    x: str | None,
    currency: str | None,
    targets: tuple[float, ...],
    horizon: int | None,
    matters: float | None,
    show: bool,
) -> None:
    """Write the findings of studies: a page to read, its figures, and tables.

    RESULTS are folders of sweeps or correlation studies, local or in an object store, finished or not, or tables (CSV
    or Parquet) of learning curves made elsewhere, with the columns arm, seed, labels, and accuracy or another metric.
    """
    from alray.reporting import api

    if across:
        others: dict[str, object] = {
            "--compare": compare,
            "--against": against,
            "--label-cost": label_cost,
            "--x": x,
            "--currency": currency,
        }
        others |= {"--target": targets or None, "--horizon": horizon, "--matters": matters}
        _print(_across(results, others, out, metric, formats), show=show)
        return
    _check(results, compare, out)
    if compare is not None and matters is not None:
        raise SpecError(
            "--matters is about correlation studies, and --compare about sweeps; leave one out"
        )
    if (targets or horizon is not None) and (compare is not None or matters is not None):
        raise SpecError(
            "--target and --horizon forecast the curves of one study; leave out --compare and --matters"
        )
    options: dict[str, Any] = {
        "out": out,
        "against": against,
        "metric": metric,
        "formats": words(formats),
        "label_cost": label_cost,
        "x": x,
        "currency": currency,
    }
    if compare is not None:
        _print(api.report_pair(compare, **options), show=show)
    for path in results:
        if matters is None:
            made = api.report(path, **options, target=targets, horizon=horizon)
        else:
            made = api.report_correlation(
                path, out=out, metric=metric, formats=words(formats), matters=matters
            )
        _print(made, show=show)


def _across(
    results: tuple["StudyPath", ...],
    others: Mapping[str, object],
    out: "StudyPath | None",
    metric: str | None,
    formats: str,
) -> "Report":
    from alray.reporting.across import report_across

    for option, value in others.items():
        if value is not None:
            raise SpecError(
                f"{option} is about single studies, and --across about all together; leave one out"
            )
    return report_across(results, out=out, metric=metric, formats=words(formats))


def _check(
    results: tuple["StudyPath", ...],
    compare: tuple["StudyPath", "StudyPath"] | None,
    out: "StudyPath | None",
) -> None:
    if not results and compare is None:
        raise SpecError("name a study's folder, such as results/openclipart")
    if results and compare is not None:
        raise SpecError("--compare takes its two studies, and no others")
    if len(results) > 1 and out is not None:
        raise SpecError(
            "--out is one folder, and there are several studies: report them one by one"
        )


def _print(made: "Report", *, show: bool) -> None:
    from alray.cli.display.report import print_report

    print_report(console(), made)
    if show and made.page is not None:
        _open(made.page)


def _open(page: "StudyPath") -> None:
    """Open the page; that there is no browser is no reason to fail."""
    if not isinstance(page, Path):
        click.echo(
            f"--open shows local pages only; download {page}, or write it with --out DIR", err=True
        )
        return
    try:
        opened = webbrowser.open(page.resolve().as_uri())
    except (OSError, webbrowser.Error):
        opened = False
    if not opened:
        click.echo(f"no browser could be opened; the page is {page}", err=True)
