"""One HTML file per page, which holds all it needs and asks the network for nothing.

All content is escaped: text by Jinja, data by `json_text`. A content security policy names the two scripts by their
hashes, so nothing else could run or be fetched even if an escape were missing.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
import pandas as pd
import vl_convert
from markupsafe import Markup

from alray.reporting import theme
from alray.reporting.figures import VEGA_LITE, Figure

_GLOBALS = "window.vegaEmbed = vegaEmbed;"


def render_page(template: str, figures: Sequence[Figure], content: Mapping[str, Any]) -> bytes:
    """Return the page of a template that extends `page.html.j2`, with its figures and its other variables."""
    templates = files("alray.reporting") / "templates"
    scripts = [vega(), (templates / "figures.js").read_text()]
    shown = {figure.name: figure.interactive() for figure in figures}
    return (
        _environment()
        .get_template(template)
        .render(
            **content,
            figures=figures,
            light=theme.LIGHT,
            dark=theme.DARK,
            policy=policy(scripts),
            scripts=[Markup(script) for script in scripts],
            shown=json_text(shown),
            look=json_text(theme.config(theme.PAGE)),
        )
        .encode()
    )


def report_files(
    figures: Sequence[Figure],
    formats: Collection[str],
    page: Callable[[], bytes],
    findings: Mapping[str, pd.DataFrame],
) -> dict[str, bytes]:
    """Return the files of a report, name below its folder: content.

    These are, as `formats` asks, `report.html`, `figures/<name>.svg`, `figures/<name>.png`, `findings/<name>.csv`.
    """
    made: dict[str, bytes] = {}
    for figure in figures:
        if "svg" in formats:
            made[f"figures/{figure.name}.svg"] = figure.svg()
        if "png" in formats:
            made[f"figures/{figure.name}.png"] = figure.png()
    if "html" in formats:
        made["report.html"] = page()
    if "csv" in formats:
        for name, frame in findings.items():
            made[f"findings/{name}.csv"] = frame.to_csv(index=False).encode()
    return made


@cache
def vega() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script that sets `vegaEmbed`.

    Raises:
        RuntimeError: If it holds characters that would end or change a script element.
    """
    script = vl_convert.javascript_bundle(_GLOBALS, vl_version=VEGA_LITE)
    if "</script" in script.lower() or "<!--" in script or "\r" in script:
        raise RuntimeError("the Vega bundle cannot stand in an HTML page as it is")
    return script


def json_text(value: object) -> Markup:
    """Return JSON that can stand in a script element with any strings in it: `<`, `>` and `&` become escapes.

    Raises:
        ValueError: If a number is not finite; JSON has none of these.
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def policy(scripts: Sequence[str]) -> str:
    """Return a content security policy under which these scripts run, styles apply, and nothing is fetched."""
    hashes = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts
    ]
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("alray.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["verdict_marks"] = theme.VERDICT_MARKS
    return environment
