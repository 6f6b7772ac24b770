"""The program as users type it."""

from click.testing import CliRunner, Result

from alray.cli import main

SMALL = (
    "--initial", "60", "--query", "5", "--rounds", "2", "--executor", "inline",
    "--set", "training.passive_epochs=2", "--no-report",
)  # fmt: skip
ONE_RUN = ("--strategies", "random", "--seeds", "1")
TWO_ARMS = ("--strategies", "random,margin")


def alray(*words: object) -> Result:
    """Run a command at 80 columns; an exception that is no exit is a bug, which is let through."""
    result = CliRunner(env={"COLUMNS": "80"}).invoke(main, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result
