"""What the figures of a sweep have in common: the axis of labels, and the strategy that a page highlights."""

import altair as alt

from alray.reporting.figures import Spec

LABELS = alt.Axis(title="labels", grid=False, format=",d", tickCount=5)
"""The axis that most figures share."""


def highlighted(spec: Spec) -> Spec:
    """Return a chart whose marks know which strategy is highlighted; none is at first."""
    return spec | {"params": [*spec["params"], {"name": "highlight", "value": ""}]}
