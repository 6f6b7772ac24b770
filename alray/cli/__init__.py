"""The command line: parse, call one function, map errors to exit codes."""

import sys
from typing import Any

import click
from typing_extensions import override

from alray._version import __version__
from alray.cli.correlate import correlate
from alray.cli.label import label
from alray.cli.output import exit_if_lost, lasting_output
from alray.cli.pool import pool
from alray.cli.report import report
from alray.cli.stop import stop
from alray.cli.strategies import strategies
from alray.cli.sweep import sweep
from alray.cli.visible import visible
from alray.errors import AlrayError


class ErrorGroup(click.Group):
    """A group whose commands end with a line, not a traceback, when the input is at fault."""

    @override
    def main(self, *args: Any, **kwargs: Any) -> Any:
        with lasting_output():
            return super().main(*args, **kwargs)

    @override
    def invoke(self, ctx: click.Context) -> Any:
        try:
            found = super().invoke(ctx)
        except AlrayError as error:
            text = visible(str(error))
            click.echo(f"error: {text}" if error.exit_code == 2 else text, err=True)
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            sys.exit(130)
        exit_if_lost(ctx)
        return found


@click.group(cls=ErrorGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="alray")
def main() -> None:
    """Which active-learning strategy saves how many labels on your pool of embeddings, and how sure is that.

    Start with `alray sweep`: it compares five strategies on a pool that comes with alray.
    """


main.add_command(sweep)
main.add_command(correlate)
main.add_command(report)
main.add_command(stop)
main.add_command(label)
main.add_command(pool)
main.add_command(strategies)
