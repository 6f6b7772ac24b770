"""Standard output and error of a command: one that can no longer be written does not end a study."""

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

_KEPT = "alray.cli.output.kept"


class LastingStream:
    """A stream to which writing never fails: what is written after its reader or its disk is gone is dropped.

    A terminal that was closed, a pipe whose reader has ended and a full disk are such cases. From the first failed
    write on, the stream's file descriptor leads to the null device, for what other languages write there too, and for
    what Python still holds when it ends.

    Attributes:
        error: The first error, None as long as there was none.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text; return its length."""
        with self._dropping():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered."""
        with self._dropping():
            self._stream.flush()

    @contextlib.contextmanager
    def _dropping(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.error = self.error or error
            with contextlib.suppress(OSError):  # it is no file, or none can be opened
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, self._stream.fileno())
                os.close(null)


@contextlib.contextmanager
def lasting_output() -> Iterator[None]:
    """Let standard output and error be streams to which writing never fails, within the block.

    One that was closed when the program started gets the null device: otherwise the next file that is opened would get
    its number, and all that is written to it.
    """
    before = sys.stdout, sys.stderr
    with contextlib.ExitStack() as opened:
        null = [
            opened.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
            for stream in before
            if stream is None
        ]
        sys.stdout, sys.stderr = (LastingStream(stream or null.pop(0)) for stream in before)
        try:
            yield
        finally:
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
            sys.stdout, sys.stderr = before


def output_is_kept() -> None:
    """Say that what the command has to say lies in files too, so that it may end well without standard output."""
    context = click.get_current_context(silent=True)
    if context is not None:
        context.meta[_KEPT] = True


def exit_if_lost(context: click.Context) -> None:
    """Exit with an error if standard output could not be written, and it was all that the command had to give.

    The code is 1, without a word, where the reader has gone away (`| head`), and 2 otherwise.
    """
    sys.stdout.flush()
    error = getattr(sys.stdout, "error", None)
    if error is None or _KEPT in context.meta:
        return
    if error.errno == errno.EPIPE:
        sys.exit(1)
    click.echo(f"error: standard output cannot be written: {error.strerror}", err=True)
    sys.exit(2)
