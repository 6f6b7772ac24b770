"""Progress of a correlation study: the task that ended last on a terminal, a line per base model elsewhere."""

from typing import Any

from rich.console import RenderableType
from rich.text import Text
from typing_extensions import override

from alray.analysis.wording import count, share
from alray.cli.display.phrases import features, study_title
from alray.cli.display.progress import Display
from alray.studies.correlation.observer import CorrelationObserver
from alray.studies.correlation.plan import NAME_ENDING, CorrelationPlan
from alray.studies.correlation.protocol import group_count, grouping_names
from alray.studies.correlation.tasks import FineTune, Task


class CorrelationDisplay(Display, CorrelationObserver):
    """Counts fine-tunes."""

    unit = "fine-tune"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._bases = self._bases_ready = 0
        self._last = ""

    @override
    def begin(self, plan: CorrelationPlan, fine_tunes_done: int) -> None:
        self._bases = plan.spec.bases
        before = f"{count(fine_tunes_done, 'fine-tune')} done before" if fine_tunes_done else ""
        self._open(
            correlation_headline(plan), total=plan.fine_tunes, done=fine_tunes_done, before=before
        )

    @override
    def base_ready(self, number: int, accuracy: float) -> None:
        self._bases_ready += 1
        self._say(f"base {number}: accuracy {share(accuracy)}")

    @override
    def performed(self, task: Task, seconds: float, host: str) -> None:
        if isinstance(task, FineTune):
            self._done += len(task)
            self._hosts.add(host)
            self._last = f"base {task.base}, {_grouping(task)}, seed {task.seed}{self._on(host)}"

    @override
    def failed(self, name: str, error: str) -> None:
        self._say(f"failed: {name}: {error}", "red")

    @override
    def _state(self) -> str:
        return f"{self._done:,}/{count(self._total, 'fine-tune')}"

    @override
    def _current(self) -> RenderableType | None:
        next_step = "fitting the base models" if self._bases_ready < self._bases else "fine-tuning"
        return Text(f"  {self._last or f'{self._starting}, {next_step}'}", style="dim")


def _grouping(task: FineTune) -> str:
    kind = {"score": "by", "within_class": "within class by"}.get(task.grouping)
    return f"{kind} {task.sorted_by}" if kind else task.grouping.replace("_", " ")


def correlation_headline(plan: CorrelationPlan) -> list[str]:
    """Return four lines that say what the study is."""
    spec, parts = plan.spec, plan.prepared
    doses = ", ".join(map(str, spec.epochs))
    title = study_title(str(spec.name), plan.pool, spec.pool.source, NAME_ENDING)
    return [
        f"{title}: {features(plan.pool, spec.pool)}",
        f"train {len(parts.train):,}, test {min(len(parts.test), spec.test):,}; {count(spec.bases, 'base model')} on "
        f"{spec.initial:,} labels each",
        f"{spec.sample:,} objects scored, {count(group_count(spec, 'score'), 'group')} of {spec.group_size:,} in "
        f"{count(len(grouping_names(spec)), 'arrangement')}, {count(spec.fine_tune_seeds, 'seed')}",
        f"{count(plan.fine_tunes, 'fine-tune')}, evaluated after {doses} epochs, replay {spec.replay}",
    ]
