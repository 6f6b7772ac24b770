"""Names of the user's classes and functions: a study holds `package.module:Name`, never an object."""

from typing import Any

from alray.errors import SpecError


def name_of(thing: Any, what: str) -> str:
    """Return the name by which `load` finds a class or a function.

    Raises:
        SpecError: It has none, since it is defined within a function.
    """
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if module is None or name is None or "." in name or name == "<lambda>":
        raise SpecError(
            f"{what} {thing!r} has no name by which it can be found again: define it at the top of a module, script or "
            "notebook cell, not within a function or class"
        )
    return f"{module}:{name}"


def model_name(model: Any) -> str:
    """Return the name of a network's class or factory.

    Raises:
        SpecError: It is neither; a network that was built already is of no use.
    """
    if isinstance(model, str):
        return model
    if not callable(model) or not hasattr(model, "__qualname__"):
        raise SpecError(
            f"model: {type(model).__name__} is an object, and every run starts from weights of its own: give the "
            "class, or a function, which is called as factory(shapes=..., classes=..., **model.options)"
        )
    return name_of(model, "model.name")
