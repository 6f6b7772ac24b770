"""Where people keep experiments: MLflow, TensorBoard, or a tracker of their own, told of a sweep while it runs."""

from alray.trackers.tracker import Ending, Row, TrackedRun, Tracker, metrics_of, step_of

__all__ = ["Ending", "Row", "TrackedRun", "Tracker", "metrics_of", "step_of"]
