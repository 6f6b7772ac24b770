"""Which networks are classifiers with scikit-learn's interface."""

PREFIX = "sklearn:"
"""Begins the name of such a network; `package.module.Class` follows."""

PACKAGE = "scikit-learn"
"""The installed package that these networks need."""

EXAMPLE = f"{PREFIX}sklearn.linear_model.LogisticRegression"


def class_of(model: str) -> str | None:
    """Return the `package.module:Class` behind `sklearn:package.module.Class`, None for a network of another kind."""
    if not model.startswith(PREFIX):
        return None
    module, _, name = model.removeprefix(PREFIX).rpartition(".")
    return f"{module}:{name}"


def check_name(model: str) -> None:
    """Refuse a name of such a network that lacks its module or its class.

    Raises:
        ValueError: Shows how to write it.
    """
    path = model.removeprefix(PREFIX)
    if path != model and not (path.count(".") and all(map(str.isidentifier, path.split(".")))):
        raise ValueError(
            f"name: {model!r} is not {PREFIX}package.module.Class; write the class with its module and dots, such as "
            f"{EXAMPLE}"
        )
