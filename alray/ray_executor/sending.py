"""What a script or a notebook defines is sent to workers by value, by Ray's own transport."""

from collections.abc import Mapping
from typing import Any

from ray import cloudpickle

from alray.errors import SpecError
from alray.studies.events import describe


def require_sendable(values: Mapping[str, Any]) -> None:
    """Refuse classes and functions that Ray cannot send.

    Raises:
        SpecError: Names the first such, with the reason.
    """
    for name, value in values.items():
        try:
            cloudpickle.dumps(value)  # type: ignore[no-untyped-call]
        except Exception as error:
            raise SpecError(
                f"{name} cannot be sent to Ray's workers ({describe(error)}): write it into a module and import it, "
                "or use execution.executor: inline"
            ) from error
