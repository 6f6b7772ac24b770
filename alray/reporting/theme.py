"""How figures and tables look: colours of Okabe and Ito (2008), which the colour-blind can tell apart, on any paper.

A score has the same colour in every figure, and a grouping the same shape. Text is never in a score's colour: some
of these are too pale to be read.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from alray.analysis.wording import ArmKind, EffectKind

FONT = "Helvetica, Arial, sans-serif"

COLOURS: Mapping[str, str] = {
    "loss": "#D55E00",
    "margin": "#0072B2",
    "entropy": "#009E73",
    "least_confidence": "#CC79A7",
    "bald": "#E69F00",
}
"""Colours of the scores that alray knows: vermilion, blue, bluish green, reddish purple, orange."""

OTHER_COLOUR = "#56B4E9"
"""Sky blue, for any other score: panels and labels name it."""

SHAPES: Mapping[str, str] = {"score": "circle", "within_class": "square", "random": "triangle-up"}
"""Shapes of the groupings."""

DASHES: Mapping[str, list[int]] = {"score": [1, 0], "within_class": [5, 3], "random": [1, 3]}
"""Dashes of the groupings, where points are joined."""

LIGHT: Mapping[str, str] = {
    "ink": "#1b1f24",
    "muted": "#57606a",
    "grid": "#e4e7eb",
    "zero": "#3d444d",
    "shade": "#eef1f4",
    "paper": "#ffffff",
    "link": "#0050a0",
}
"""Colours of what is not data, on white."""

DARK: Mapping[str, str] = {
    "ink": "#e8eaed",
    "muted": "#a8b0ba",
    "grid": "#2f363e",
    "zero": "#c9d1d9",
    "shade": "#20262d",
    "paper": "#14181c",
    "link": "#8cc4ff",
}
"""The same, on nearly black."""

PAGE: Mapping[str, str] = {name: f"var(--{name})" for name in LIGHT}
"""The same as a page's stylesheet sets them, so that figures follow it from light to dark, and to paper."""

VERDICT_MARKS: Mapping[ArmKind | EffectKind, tuple[str, str]] = {
    "better": ("helps", "\u25b2"),
    "worse": ("hurts", "\u25bc"),
    "open": ("open", "?"),
    "uncompared": ("open", ""),
    "reference": ("none", ""),
    "helps": ("helps", "\u25b2"),
    "hurts": ("hurts", "\u25bc"),
    "no effect": ("none", "="),
    "no difference": ("none", "="),
    "no change": ("none", "="),
    "inconclusive": ("open", "?"),
}
"""Kind of a verdict: class of the stylesheet, and a sign for the eye only; the words say the same."""

# Vega writes 0.02 as 0.02; here it is .02, as in the text. Zero has no sign.
_LABEL = "datum.value === 0 ? '0' : replace(datum.label, regexp('^([+\u2212-]?)0[.]'), '$1.')"


def colours(scores: Sequence[str]) -> list[str]:
    """Return a colour for each score."""
    return [COLOURS.get(score, OTHER_COLOUR) for score in scores]


def config(paper: Mapping[str, str]) -> dict[str, Any]:
    """Return a Vega-Lite configuration for `LIGHT`, `DARK` or `PAGE`; the background is left to what lies below."""
    text = {
        "labelColor": paper["muted"],
        "titleColor": paper["ink"],
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    }
    zero_line = {"test": "datum.value === 0", "value": paper["zero"]}
    return {
        "background": "transparent",
        "font": FONT,
        # Tables hold every number, and each figure has a description; a thousand described points would hide both.
        "aria": False,
        "view": {"stroke": None},
        "axis": {
            **text,
            "labelExpr": _LABEL,
            "gridColor": {"condition": zero_line, "value": paper["grid"]},
            "domain": False,
            "tickColor": paper["muted"],
            "labelOverlap": True,
            "labelFlush": False,
        },
        "header": {
            **text,
            "labelColor": paper["ink"],
            "labelFontWeight": "bold",
            "labelFontSize": 12,
        },
        "legend": {
            **text,
            "orient": "top",
            "symbolFillColor": paper["ink"],
            "symbolStrokeWidth": 0,
            "labelFontSize": 12,
        },
        "title": {
            "color": paper["ink"],
            "subtitleColor": paper["muted"],
            "fontSize": 14,
            "subtitleFontSize": 12,
            "anchor": "start",
            "offset": 12,
        },
        "style": {
            "label": {"color": paper["ink"], "fontSize": 11},
            "note": {"color": paper["muted"], "fontSize": 10},
            "trend": {"color": paper["ink"]},
            "queried": {"color": paper["muted"], "opacity": 0.13},
            "ceiling": {"stroke": paper["zero"], "strokeDash": [4, 4]},
            "tile": {"stroke": paper["grid"], "strokeWidth": 1},
        },
    }
