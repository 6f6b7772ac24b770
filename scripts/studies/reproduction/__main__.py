"""Runs the published study again, figure by figure, and writes the page that says where each figure stands.

PARTS are names of figures (all if not given). Without --page-only the studies run first, into results/study; what is
finished is kept, so the same command goes on. The page and the tables that it is made from go to
results/reference/study.
"""

from pathlib import Path

import click

from studies.reproduction.collecting import Frames, collect
from studies.reproduction.datasets import DataSet, data_sets
from studies.reproduction.evidence import Evidence
from studies.reproduction.networks import with_their_networks
from studies.reproduction.page import write_page
from studies.reproduction.plan import plan_lines, steps_of
from studies.reproduction.registry import PARTS
from studies.reproduction.running import run

RESULTS = Path(__file__).parents[3] / "results"
WORK = RESULTS / "study"
SMALL_WORK = RESULTS / "study-small"
PUBLISHED = RESULTS / "reference" / "study"
DATA = ("icons", "twin", "mnist")


def _names(_: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...]:
    names = DATA if value is None else tuple(filter(None, map(str.strip, value.split(","))))
    for name in names:
        if name not in DATA:
            raise click.BadParameter(f"{name!r} is none of {', '.join(DATA)}", param=param)
    if not names:
        raise click.BadParameter(f"name at least one of {', '.join(DATA)}", param=param)
    return names


def _chosen(
    names: tuple[str, ...], work: Path, mnist: Path | None, icons: str, *, small: bool
) -> dict[str, DataSet]:
    known = data_sets(work, mnist, icons, small=small)
    return {name: known[name] for name in names}


_LIST = "\n".join(f"  {name:<21} {part.figures}" for name, part in PARTS.items())


@click.command(help=f"{__doc__}\n\n\b\nParts:\n{_LIST}")
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)), metavar="[PARTS]...")
@click.option("--data", callback=_names, metavar="A,B", help="icons, twin, mnist; all by default.")
@click.option("--icons", default="icons", show_default=True, help="Built-in pool, or its file.")
@click.option(
    "--mnist",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your copy of MNIST, as `alray pool import` reads it; needed where mnist takes part.",
)
@click.option("--plan", "only_plan", is_flag=True, help="Print what would run, with its time.")
@click.option("--page-only", is_flag=True, help="Make the page again from what is stored.")
@click.option("--small", is_flag=True, help="Tiny pools: tries everything in minutes.")
@click.option("--inline", is_flag=True, help="Run in this process, without Ray.")
@click.option("--work", type=Path, help="Folder of the studies.  [default: results/study]")
@click.option("--out", type=Path, help="Folder of the page.  [default: results/reference/study]")
def main(  # noqa: PLR0913, PLR0917 -- click passes options
    parts: tuple[str, ...],
    data: tuple[str, ...],
    icons: str,
    mnist: Path | None,
    only_plan: bool,  # noqa: FBT001
    page_only: bool,  # noqa: FBT001
    small: bool,  # noqa: FBT001
    inline: bool,  # noqa: FBT001
    work: Path | None,
    out: Path | None,
) -> None:
    work = work or (SMALL_WORK if small else WORK)
    out = out or (SMALL_WORK / "page" if small else PUBLISHED)
    if not page_only:
        if mnist is None and not only_plan:
            data = _without_mnist(data, parts, work, small=small)
        chosen = _chosen(data, work, mnist, icons, small=small)
        named = with_their_networks(PARTS[name] for name in parts or PARTS)
        steps = steps_of(named, chosen, small=small)
        for line in plan_lines(steps) if not small else [step.name for step in steps]:
            click.echo(line, err=not only_plan)
        if only_plan:
            return
        run(steps, work, small=small, inline=inline)
    write_page(Evidence(_frames(work, out, small=small)), out)
    click.echo(f"page: {out / 'README.md'}")


def _frames(work: Path, out: Path, *, small: bool) -> Frames:
    """Return the stored tables, with all that the studies hold by now."""
    known = data_sets(work, None, "icons", small=small)
    return collect(steps_of(PARTS.values(), known, small=small), work, out)


def _without_mnist(
    data: tuple[str, ...], parts: tuple[str, ...], work: Path, *, small: bool
) -> tuple[str, ...]:
    """Return the data sets without MNIST, where there is no file of it.

    Raises:
        click.UsageError: Nothing else was asked for.
    """
    pool = data_sets(work, None, "icons", small=small)["mnist"].pool
    if "mnist" not in data or Path(pool).exists():
        return data
    wanted = [name for name in parts if PARTS[name].data == ("mnist",)]
    if data == ("mnist",) or wanted:
        named = " and ".join(wanted) or "--data mnist"
        raise click.UsageError(
            f"{named}: needs your copy of MNIST: give --mnist PATH, an .npz with images of 28 x 28 and labels"
        )
    click.echo(
        "mnist is left out: give --mnist PATH to have figure 15 and its tables too", err=True
    )
    return tuple(name for name in data if name != "mnist")


if __name__ == "__main__":
    main(prog_name="scripts/studies/reproduce")
