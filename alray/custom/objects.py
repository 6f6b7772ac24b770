"""Names of the user's classes and functions: a study holds `package.module:Name`, never an object."""

import sys
from typing import Any

from alray.errors import SpecError
from alray.settings.estimators import PREFIX


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
    """Return the name of a network's class or factory, or of a scikit-learn classifier's class.

    Raises:
        SpecError: It is neither; a network that was built already is of no use.
    """
    if isinstance(model, str):
        return model
    if hasattr(model, "get_params") and not isinstance(model, type):
        raise SpecError(
            f"model: {type(model).__name__} is an object, and every round fits a fresh one: give the class with its "
            "options, model={'name': THE_CLASS, 'options': {...}}; or put the object into a module, and give "
            f"'{PREFIX}my_module.its_name'"
        )
    if not callable(model) or not hasattr(model, "__qualname__"):
        raise SpecError(
            f"model: {type(model).__name__} is an object, and every run starts from weights of its own: give the "
            "class, or a function, which is called as factory(shapes=..., classes=..., **model.options)"
        )
    name = name_of(model, "model.name")
    if not all(hasattr(model, word) for word in ("fit", "get_params", "set_params")):
        return name
    module, _, word = name.partition(":")
    # scikit-learn defines its classes in private modules, whose names change.
    public = module.partition("._")[0]
    found = getattr(sys.modules.get(public), word, None) is model
    return f"{PREFIX}{public if found else module}.{word}"
