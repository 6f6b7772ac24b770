"""Label Studio's XML that says what a project shows and asks: made for tasks, and read of a project that is there."""

import re
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from alray.errors import ExchangeError
from alray.exchange.tasks import Tasks, plain_names

QUESTION = "alray_class"
"""What answers go by in exports."""

RESERVED = (
    "id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement", QUESTION,
)  # fmt: skip
"""Keys of an export in JSON_MIN, which would hide what is shown under the same name."""

# https://www.w3.org/TR/xml/#charsets: all other characters cannot stand in XML, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Question:
    """What a project asks about each object.

    Attributes:
        name: Of the control, `from_name` in results.
        about: Of the object that it is about, `to_name` in results.
        classes: What may be answered, empty where each task brings its own.
        variables: Keys of a task's data that the project shows, in their order.
    """

    name: str
    about: str
    classes: tuple[str, ...]
    variables: tuple[str, ...]


def data_keys(tasks: Tasks) -> dict[str, str]:
    """Return the key in a task's data for each column that is shown."""
    return plain_names(tasks.shown, RESERVED)


def label_config(tasks: Tasks) -> str:
    """Return the XML of a project that shows the tasks' columns and asks for one of their classes.

    Raises:
        ExchangeError: A class's name holds a character that XML does not have.
    """
    view = ET.Element("View")
    keys = data_keys(tasks)
    for column, key in keys.items():
        kind = "Image" if column in tasks.images else "Text"
        ET.SubElement(view, kind, name=f"show_{key}", value=f"${key}")
    first = next(iter(keys.values()))
    choices = ET.SubElement(
        view, "Choices", name=QUESTION, toName=f"show_{first}", choice="single", required="true"
    )
    for name in tasks.classes:
        if _NOT_XML.search(name):
            raise ExchangeError(
                f"class {name!r} holds a character that Label Studio's settings cannot hold; rename the class"
            )
        ET.SubElement(choices, "Choice", value=name)
    ET.indent(view)
    return ET.tostring(view, encoding="unicode") + "\n"


def question_of(config: str, origin: str) -> Question:
    """Return what a project asks.

    Args:
        config: Its XML.
        origin: The project's name, for messages.

    Raises:
        ExchangeError: It is no XML, or asks for no class, or asks several questions and none is alray's.
    """
    try:
        view = ET.fromstring(config)
    except ET.ParseError as error:
        raise ExchangeError(
            f"{origin} has settings that are no XML ({error}); mend them"
        ) from None
    asked = {each.get("name", ""): each for each in view.iter("Choices")}
    if QUESTION not in asked and len(asked) != 1:
        what = (
            f"asks {len(asked)} questions ({', '.join(asked)})" if asked else "asks for no class"
        )
        raise ExchangeError(
            f"{origin} {what}; give it one <Choices> alone, or call the right one {QUESTION!r}"
        )
    name = QUESTION if QUESTION in asked else next(iter(asked))
    classes = [each.get("value", "") for each in asked[name].iter("Choice")]
    values = [each.get("value", "") for each in view.iter() if each.get("name")]
    variables = dict.fromkeys(value[1:] for value in values if value.startswith("$"))
    own = asked[name].get("value", "")
    return Question(
        name,
        asked[name].get("toName", ""),
        () if own.startswith("$") else tuple(classes),
        tuple(each for each in variables if each != own[1:]),
    )
