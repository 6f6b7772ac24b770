"""Which settings name a strategy or a network that the user supplies."""

from alray.settings.base import Settings


def model_names(settings: Settings) -> list[str]:
    """Return `model.name` of a study, and the values that it takes where it varies."""
    values = settings.model_dump()
    return [values["model"]["name"], *map(str, values.get("vary", {}).get("model.name", ()))]


def names_custom_code(settings: Settings) -> bool:
    """Whether a study names a `package.module:Name`, as a strategy or as a network."""
    values = settings.model_dump()
    words = [text.split(":")[1:2] for text in values.get("strategies", ())]
    return any(":" in name for name in model_names(settings)) or any(
        "=" not in word[0] for word in words if word
    )
