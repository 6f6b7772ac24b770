"""Print the description of a pool in a terminal."""

from math import prod

from rich.console import Console
from rich.table import Table

from alray.cli.display.tables import Column, FittingTable
from alray.cli.visible import visible_line
from alray.pools.builtin import BUILTIN_POOLS
from alray.pools.columns.metadata import name_some
from alray.pools.describe import ModalityDescription, PoolDescription

TOP = 20
_BAR = 28


def print_description(
    description: PoolDescription, console: Console, *, every_class: bool
) -> None:
    """Print counts, modalities and a bar chart of the classes, the largest 20 unless all are asked for.

    The console is made without markup: class names may hold brackets.
    """
    console.print(_counts(description))
    console.print()
    console.print(_modalities(description))
    for modality in description.modalities:
        if modality.constant:
            console.print(_constant(modality), style="dim")
    console.print()
    console.print(_classes(description, None if every_class else TOP))
    hidden = len(description.classes) - TOP
    if hidden > 0 and not every_class:
        console.print(f"... {hidden} more (--all shows them)", style="dim")
    for note in description.notes:
        console.print(note, style="yellow")
    for warning in description.warnings:  # they hold options to be copied
        console.print(warning, style="yellow", soft_wrap=True)


def _counts(description: PoolDescription) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    sizes = description.classes.values()
    table.add_row("pool", visible_line(description.name))
    builtin = BUILTIN_POOLS.get(description.name)
    if builtin is not None and str(builtin.path) == description.path:
        table.add_row("about", builtin.description)
        table.add_row("licence", f"{builtin.licence} (see NOTICE.md next to the file)")
    table.add_row("file", visible_line(description.path))
    table.add_row("objects", f"{description.objects:,}")
    if sizes:
        share = 100 * max(sizes) / description.objects
        table.add_row(
            "classes",
            f"{len(sizes)}, of {min(sizes):,} to {max(sizes):,} objects (largest {share:.1f} %)",
        )
    table.add_row("duplicates", _duplicates(description))
    groups = description.groups
    if groups is not None:
        table.add_row(
            "groups",
            f"{groups.groups:,} by {visible_line(groups.column)}: {groups.objects_sharing:,} objects share theirs, "
            f"the largest holds {groups.largest:,}",
        )
    split = description.split
    if split is not None:
        counts = f"{split.train:,} train, {split.validation:,} validation and {split.test:,} test"
        taken = f"; a study takes {split.taken:,} of train for validation" if split.taken else ""
        table.add_row("split", f"{counts} by {visible_line(split.column)}{taken}")
    return table


def _duplicates(description: PoolDescription) -> str:
    found = description.duplicates
    if not found.objects:
        return "none: no two objects have the same features"
    # A given split is taken as it is.
    kept = "" if description.split else "; a sweep keeps copies on one side of its split"
    return (
        f"{found.objects:,} objects equal another one, in {found.sets:,} sets, "
        f"{found.conflicting_sets:,} of them with different labels{kept}"
    )


def _modalities(description: PoolDescription) -> FittingTable:
    names = [Column(name, "name") for name in ("modality", "column", "shape", "type")]
    numbers = [Column(name) for name in ("absent", "%", "with NaN")]
    table = FittingTable([*names, *numbers])
    for modality in description.modalities:
        table.add(
            modality.name,
            visible_line(modality.column),
            " x ".join(map(str, modality.shape)),
            modality.dtype,
            f"{modality.absent:,}",
            f"{100 * modality.absent / max(1, description.objects):.1f}",
            f"{modality.unusable:,}",
        )
    return table


def _constant(modality: ModalityDescription) -> str:
    constant, total = len(modality.constant), prod(modality.shape)
    return (
        f"{modality.name}: {constant:,} of {total:,} features are equal in all objects: number "
        f"{name_some(modality.constant)} (counted from 0)"
    )


def _classes(description: PoolDescription, limit: int | None) -> FittingTable:
    table = FittingTable(
        [Column("class", "name"), Column("objects"), Column("%"), Column("", "picture", "cyan")]
    )
    # `sorted` keeps class order among equal sizes.
    ranked = sorted(description.classes.items(), key=lambda item: -item[1])
    largest = ranked[0][1] if ranked else 1
    for name, count in ranked[:limit]:
        share = 100 * count / description.objects
        table.add(visible_line(name), f"{count:,}", f"{share:.1f}", _bar(count / largest))
    return table


def _bar(share: float) -> str:
    """Return a bar of eighths of a character; it is never empty, so that rare classes can be seen."""
    eighths = max(1, round(share * _BAR * 8))
    rest = " ▏▎▍▌▋▊▉"[eighths % 8].strip()
    return "█" * (eighths // 8) + rest
