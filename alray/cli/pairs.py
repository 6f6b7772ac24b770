"""Texts of the forms `NAME=VALUE` and `A,B` on the command line."""

from alray.errors import SpecError


def pairs(option: str, values: tuple[str, ...]) -> dict[str, str]:
    """Split `NAME=VALUE` texts.

    Raises:
        SpecError: A text has another form, or a name is given twice; the message names option and text.
    """
    found: dict[str, str] = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise SpecError(f"{option} {text}: write NAME=VALUE, such as {option} image=img_emb")
        if name in found:
            raise SpecError(f"{option} {text}: {name!r} is given twice; give it once")
        found[name] = value
    return found


def words(text: str) -> list[str]:
    """Split at commas."""
    return [word.strip() for word in text.split(",") if word.strip()]
