"""`alray pool`: describe a pool, look for wrong labels, import one, make one."""

from collections.abc import Mapping
from copy import copy
from shlex import quote
from textwrap import indent, wrap
from typing import TYPE_CHECKING, Any

import click

from alray.cli.options import COLUMNS
from alray.cli.running import bar, console
from alray.cli.settings_options import Setting, SettingsCommand, pairs
from alray.cli.suspects import suspects
from alray.errors import SpecError
from alray.pools.files.layouts import LAYOUTS

if TYPE_CHECKING:
    from alray.pools.importing import WriteSummary


@click.group()
def pool() -> None:
    """Look at a pool of labelled embeddings, import one, or make one."""


@pool.command(
    "describe",
    cls=SettingsCommand,
    settings="alray.settings.sweep:SweepSpec",
    options={**COLUMNS, "storage": Setting("pool.storage")},
)
@click.argument("source", metavar="[POOL]", default="openclipart")
@click.option("--all", "every_class", is_flag=True, help="List all classes, not the largest 20.")
def describe_command(source: str, given: dict[str, Any], every_class: bool) -> None:
    """Describe POOL: a built-in name (openclipart, icons), or Parquet.

    That is a file, a folder of files, a quoted pattern such as 'posts/*.parquet', or an address such as
    s3://BUCKET/FOLDER.

    Prints objects, modalities and how often they are absent, classes and exact copies, and the next command, with
    fewer labels where the pool is small. If a study with the usual split, or with that of --split-column, would refuse
    the pool, prints why, with exit code 2.
    """
    from alray.cli.display.pool import print_description
    from alray.errors import PoolError
    from alray.pools.describe import describe
    from alray.settings.base import assign, validate
    from alray.settings.secrets import without_secrets
    from alray.settings.sweep import SweepSpec, fitting_budget

    values: dict[str, Any] = {}
    for name, value in {"pool.source": source, **given}.items():
        assign(values, name, value)
    study = validate(SweepSpec, values, "the command line")
    description = describe(study.pool, study.split)
    out = console()
    print_description(description, out, every_class=every_class)
    if description.problems:
        raise PoolError("\n".join(description.problems))
    fitting = fitting_budget(description.train, len(description.classes))
    if fitting:
        objects = f"{description.train:,} objects of its train part"
        out.print(f"\nthe usual labels of a sweep are more than the {objects}", style="yellow")
    words = ["alray", "sweep", "--pool", without_secrets(source), *_options(given)]
    words += [word for name, value in fitting.items() for word in (f"--{name}", str(value))]
    out.print(f"\nnext: {' '.join(map(quote, words))}", soft_wrap=True)


def _options(given: Mapping[str, Any]) -> list[str]:
    """Return the words of a sweep's options that give it these settings."""
    words = []
    for option, (setting, _) in COLUMNS.items():
        if setting in given:
            words += [f"--{option}", str(given[setting])]
        of_option = f"{setting}."
        for name, value in given.items():
            if name.startswith(of_option):
                words += [f"--{option}", f"{name.removeprefix(of_option)}={value}"]
    if "pool.storage" in given:
        words += ["--set", f"pool.storage={given['pool.storage']}"]
    return words


def layout_table() -> str:
    """Return the layouts that can be imported, a line or two each, unwrapped by click."""
    lines = []
    for name, content in LAYOUTS.values():
        first, *more = wrap(content, 53)
        lines += [f"{name:<22}{first}", *(f"{'':<22}{line}" for line in more)]
    return "\n".join(["\b", *lines])


@pool.command(
    "import",
    help=f"""Convert SOURCE to a pool. SOURCE is a file or a folder of one of these layouts:

    {indent(layout_table(), "    ").strip()}

    Labels and ids are found under their usual names, or named with --label and --id. A row of zeros or of NaN, and a
    null, is an absent modality; uint8 arrays are images and stay uint8. Objects whose label is empty, null or NaN are
    kept without one. Further columns of tables, such as text or url, are kept.
    """,
)
@click.argument("source", metavar="SOURCE")
@click.argument("out", metavar="OUT.parquet")
@click.option(
    "--label",
    metavar="NAME",
    help="Array or column of labels.  [default: label, labels, y, target or targets]",
)
@click.option(
    "--id",
    "id_name",
    metavar="NAME",
    help="Array or column of ids.  [default: id or ids, else row numbers]",
)
@click.option(
    "--modality",
    "modalities",
    multiple=True,
    metavar="NAME=ARRAY",
    help="A modality and its array, or in a table its column of lists, or its columns of numbers as a pattern "
    "(image='img_*') or a range (image=img_0:img_511); repeat it. All arrays, all lists or all numbered columns "
    "if not given.",
)
@click.option(
    "--columns",
    multiple=True,
    metavar="NAME=FIRST:END",
    help="A modality's columns in an .npy, END not included; repeat it.  [default: text=1:301 and image=301:1325]",
)
@click.option(
    "--label-column",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="The label's column in an .npy.",
)
@click.option(
    "--split-column",
    metavar="NAME",
    help="Column to write the part of each object to (train, validation, test), where SOURCE has parts.  "
    "[default: split for a DatasetDict, else none]",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float16"]),
    help="Type of the features in OUT; the source's if not given.",
)
@click.option(
    "--drop-empty",
    is_flag=True,
    help="Leave out objects without any modality instead of refusing them.",
)
@click.option("--overwrite", is_flag=True, help="Replace OUT.")
def import_command(source: str, out: str, **options: Any) -> None:
    """Convert a file or folder to a pool."""
    from pathlib import Path

    from alray.pools.importing import Target, import_pool
    from alray.pools.imports.source import ImportOptions
    from alray.settings.files import expand_home

    columns = {
        name: column_range(name, text)
        for name, text in pairs("--columns", options["columns"]).items()
    }
    import_options = ImportOptions(
        label=options["label"],
        id=options["id_name"],
        modalities=pairs("--modality", options["modalities"]),
        columns=columns,
        label_column=options["label_column"],
        split_column=options["split_column"],
    )
    target = Target(
        Path(expand_home(out)), options["dtype"], options["overwrite"], options["drop_empty"]
    )
    with bar("importing") as advance:
        written = import_pool(Path(expand_home(source)), target, import_options, advance)
    report_written(written)


def column_range(name: str, text: str) -> tuple[int, int]:
    """Read `FIRST:END`.

    Raises:
        SpecError: These are not two whole numbers.
    """
    first, colon, end = text.partition(":")
    if not (colon and first.isdecimal() and end.isdecimal()):
        raise SpecError(
            f"--columns {name}={text}: write NAME=FIRST:END, such as --columns text=1:301"
        )
    return int(first), int(end)


def report_written(written: "WriteSummary") -> None:
    """Print the counts of the written pool, and the next commands."""
    counts = f"{written.objects:,} objects, {written.classes} classes"
    if written.unlabelled:
        counts += f"; {written.unlabelled:,} without a label, kept for labelling later: studies leave them out"
    click.echo(f"wrote {written.path}: {counts}")
    for name, absent in written.absent.items():
        share = 100 * absent / max(1, written.objects)
        click.echo(f"  {name}: absent from {absent:,} ({share:.1f} %)")
    if written.dropped:
        click.echo(f"  left out {written.dropped:,} objects without any modality")
    for note in written.notes:
        click.echo(f"  {note}")
    path = quote(str(written.path))
    click.echo(f"next: alray pool describe {path}")
    click.echo(f"      alray sweep --pool {path}")


pool.add_command(suspects)


@pool.group("make")
def make() -> None:
    """Make a synthetic pool."""


@make.command("synthetic", cls=SettingsCommand, settings="alray.pools.synthetic:SyntheticSpec")
@click.argument("out", metavar="OUT.parquet")
@click.option("--overwrite", is_flag=True, help="Replace OUT.")
def synthetic_command(out: str, given: dict[str, Any], overwrite: bool) -> None:
    """Make a pool like the original study's posts: synthetic, with the same sizes and kinds of difficulty.

    Topics have unequal sizes and several modes, and come in families of siblings that are easily confused. Some posts
    are ambiguous, some labels are wrong, some images and texts are absent. The same settings give the same file.
    """
    from pathlib import Path

    from alray.pools.importing import Target, write_chunks
    from alray.pools.synthetic import SyntheticSpec, make_synthetic
    from alray.settings.base import validate
    from alray.settings.files import expand_home

    spec = validate(SyntheticSpec, given, "the command line")
    with bar("making") as advance:
        target = Target(Path(expand_home(out)), overwrite=overwrite)
        written = write_chunks(make_synthetic(spec), spec.objects, target, advance)
    report_written(written)


# The command's former name: it works, but the help of `make` does not list it.
twin_command = copy(synthetic_command)
twin_command.hidden = True
make.add_command(twin_command, "twin")
