"""Which networks are classifiers with scikit-learn's interface, and what else computes by it."""

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


CLUSTERING = frozenset({"typiclust", "probcover", "drop_query", "alfa_mix"})
"""Strategies that cluster by scikit-learn."""


def by_scikit_learn(
    *, model: str = "", initial_selection: str | None = None, strategy: str = ""
) -> bool:
    """Return whether a network, a choice of initial labels or a strategy's text computes by scikit-learn."""
    clusters = initial_selection not in (None, "random")
    return class_of(model) is not None or clusters or strategy.partition(":")[0] in CLUSTERING


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
