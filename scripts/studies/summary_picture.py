"""Draw the table at the end of a finished study as an SVG picture, as the README shows it."""

import io
from pathlib import Path

import click
from rich.console import Console
from rich.terminal_theme import MONOKAI

import alray
from alray.analysis.sweep.labels_outside import labels_outside
from alray.api import plan_sweep
from alray.cli.display.next_steps import print_next_steps
from alray.cli.display.sweep_progress import sweep_headline
from alray.cli.display.sweep_summary import print_summary
from alray.studies import manifest
from alray.studies.folder import Folder

# A terminal's look without its window, and without the web fonts that rich would ask for.
FORMAT = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font: {char_height}px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  line-height: {line_height}px; font-variant-east-asian: full-width; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>{lines}</defs>
<rect fill="#0c0c0c" width="{width}" height="{height}" rx="6"/>
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""


@click.command(help=__doc__)
@click.argument("study", type=Path)
@click.argument("picture", type=Path)
def main(study: Path, picture: Path) -> None:
    found = alray.load(study)
    console = Console(record=True, width=80, file=io.StringIO(), markup=False, highlight=False)
    console.print(f"$ alray sweep{'' if found.settings.name == 'openclipart' else ' ...'}")
    for line in sweep_headline(plan_sweep(found.settings)):
        console.print(line)
    console.print()
    outside = labels_outside(manifest.read(Folder(study))).words
    print_summary(console, found.summary, study, outside=outside)
    print_next_steps(console, found.next_steps)
    text = console.export_svg(title="", theme=MONOKAI, code_format=FORMAT, unique_id="table")
    picture.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(prog_name="scripts/studies/summary_picture")
