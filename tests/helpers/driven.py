"""A driver in a process of its own, for tests that kill or interrupt it.

python -m tests.helpers.driven SPEC RESULTS [KIND ROUND]: runs the study of a YAML file and prints its progress; kills
itself, as `kill -9` does, when a job of this kind (passive or run) has come to this round.
"""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from typing_extensions import override

from alray import api
from alray.errors import AlrayError
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.status import RunStatus


class Reporter(Observer):
    def __init__(self, kind: str, number: int) -> None:
        self._end = (kind, number)

    @override
    def progressed(self, name: str, run: RunStatus | None, record: Mapping[str, Any]) -> None:
        kind = "passive" if run is None else "run"
        print(kind, record["round"], flush=True)  # noqa: T201
        if (kind, record["round"]) == self._end:
            os.kill(os.getpid(), signal.SIGKILL)


def main(spec: str, results: str, kind: str = "none", number: str = "0") -> int:
    try:
        api.sweep(Path(spec), results=results, observer=Reporter(kind, int(number)))
    except AlrayError as error:
        print(type(error).__name__, error, flush=True)  # noqa: T201
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
