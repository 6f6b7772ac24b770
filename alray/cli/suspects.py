"""`alray pool suspects`: which labels of a pool are likely wrong?"""

from typing import Any

import click

from alray.cli.options import COLUMNS, other_settings, read_settings
from alray.cli.running import bar, console
from alray.cli.settings_options import Setting, SettingsCommand

OPTIONS = {
    **{name: setting for name, setting in COLUMNS.items() if name != "split-column"},
    "folds": Setting("folds"),
    "truth": Setting("truth", "COLUMN"),
    "plant": Setting("plant", "N"),
    "plant-errors": Setting("plant_errors"),
    "seed": Setting("seed"),
}


@click.command(
    "suspects",
    cls=SettingsCommand,
    settings="alray.settings.suspects:SuspectsSpec",
    options=OPTIONS,
)
@click.argument("source", metavar="[POOL]", default="openclipart")
@other_settings("training.passive_epochs=20")
@click.option(
    "--top", default=20, show_default=True, type=click.IntRange(min=0), help="Suspects to print."
)
@click.option(
    "--out",
    metavar="FILE",
    help="Write all judged labels there, suspects first: a table, .csv or .parquet.",
)
@click.option("--overwrite", is_flag=True, help="Replace FILE.")
def suspects(
    source: str,
    given: dict[str, Any],
    settings: tuple[str, ...],
    top: int,
    out: str | None,
    overwrite: bool,
) -> None:
    """List the labels of POOL that are likely wrong, so that someone can look at them.

    A network is fitted without a fifth of the labels, five times; confident learning (cleanlab) then says which labels
    disagree with what it predicts. That is a hint: where classes are hard to tell apart, right labels are suspect too.
    --plant 100 shows what the hint is worth on this pool: it makes 100 labels wrong, and counts those that are found.
    --truth COLUMN counts by right labels that are known, such as those of a sample that experts have looked at.
    """
    from alray.settings.suspects import SuspectsSpec

    spec = read_settings(SuspectsSpec, None, {"pool.source": source, **given}, settings)
    from alray.cli.display.log_lines import logged_to
    from alray.cli.display.suspects import print_suspects
    from alray.studies.suspects.finding import judged
    from alray.studies.suspects.preparing import prepare
    from alray.studies.suspects.table_file import checked_target, write_table

    target = None if out is None else checked_target(out, overwrite=overwrite)
    with logged_to(console(stderr=True)):
        task = prepare(spec)
        with bar("fitting") as advance:
            found = judged(task, advance)
    if target is not None:
        write_table(target, found.table)
    print_suspects(console(), found, top, target)
