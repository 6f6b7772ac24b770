"""Where results lie, on the command line."""

from typing import TYPE_CHECKING, Any

import click
from typing_extensions import override

if TYPE_CHECKING:
    from alray.storage.location import Place


class PlaceType(click.ParamType["Place"]):
    """A local folder or the URI of one in an object store."""

    name = "place"

    def __init__(self, *, folder: bool = False) -> None:
        self._folder = folder

    @override
    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> "Place":
        from alray.storage.location import Location, place_of

        place = place_of(value)
        if self._folder and not isinstance(place, Location) and place.is_file():
            self.fail(f"{value} is a file, not a folder.", param, ctx)
        return place
