"""The page that a command writes when its study ends."""

from typing import TYPE_CHECKING, Any

from alray.errors import AlrayError

if TYPE_CHECKING:
    from alray.storage.location import StudyPath


def write_page(study: "StudyPath", progress: Any) -> "StudyPath | None":
    """Write a study's page; where that cannot be done the study is done all the same.

    Returns the page, None where there is none.
    """
    from alray.reporting import api

    progress.print("writing the report")
    try:
        api.report(study, formats=("html",))
    except AlrayError as error:
        progress.print(f"no report: {error}", style="yellow")
        return None
    return study / "report.html"
