"""What other libraries warn of: told once, while a study is planned, and not in each round of each run."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_listening: ContextVar[list[str] | None] = ContextVar("listening", default=None)


@contextmanager
def complaints() -> Iterator[list[str]]:
    """Collect what libraries warn their users of within a `with` statement, each text once."""
    heard: list[str] = []
    token = _listening.set(heard)
    try:
        yield heard
    finally:
        _listening.reset(token)


@contextmanager
def quiet() -> Iterator[None]:
    """Show no warning of a library; those for its users go to the `complaints` around it, if there are any."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield
    heard = _listening.get()
    if heard is None:
        return
    for each in said:
        text = " ".join(str(each.message).split())
        if issubclass(each.category, UserWarning) and text not in heard:
            heard.append(text)
