"""The page of the study run again: verdicts first, then a section per part with its pictures and tables."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from alray.analysis.wording import count, joined, share
from studies.reproduction.claims import CLAIMS, Claim
from studies.reproduction.evidence import Evidence
from studies.reproduction.parts import SEEDS
from studies.reproduction.registered_studies import MEMBERS
from studies.reproduction.registry import PARTS
from studies.reproduction.rules import WITHIN, Found
from studies.reproduction.sections import section
from studies.reproduction.tables import markdown

Judged = Mapping[tuple[Claim, str], Found]

COLUMNS = ("icons", "twin", "mnist", "none")
HEADINGS = ("icons", "twin", "MNIST", "no data set")
WRITTEN = {
    "agrees": "agrees",
    "disagrees": "**disagrees**",
    "cannot tell": "cannot tell",
    "not run": "not run",
}


def write_page(evidence: Evidence, out: Path) -> None:
    """Write README.md, its pictures and claims.csv into a folder; a picture that is not drawn any more is removed."""
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.svg"):
        old.unlink()
    judged = {(claim, data): claim.rule(evidence, data) for claim in CLAIMS for data in claim.data}
    claims_table(judged).to_csv(out / "claims.csv", index=False)
    blocks = [_HEAD, verdicts(judged), *differing(judged), _RULES]
    for part in PARTS.values():
        blocks += section(evidence, part, judged, out)
    text = "\n\n".join(blocks)
    (out / "README.md").write_text(f"{text}\n", encoding="utf-8")


def claims_table(judged: Judged) -> pd.DataFrame:
    """Return a row per claim and data set: what was claimed, the verdict, the number and the reason."""
    return pd.DataFrame(
        [
            {
                "figure": claim.figure,
                "part": claim.part,
                "claim": claim.text,
                "data": data,
                "verdict": found.kind,
                "number": found.number,
                "reason": found.reason,
            }
            for (claim, data), found in judged.items()
        ]
    )


def verdicts(judged: Judged) -> str:
    """Return how many verdicts there are of each kind, and the table of all claims by data set."""
    numbers = Counter[str](found.kind for found in judged.values())
    said = [
        count(number, kind) if number == 1 else f"{number} {_plural(kind)}"
        for kind in WRITTEN
        if (number := numbers[kind])
    ]
    rows = []
    for claim in CLAIMS:
        cells = [
            "" if (claim, data) not in judged else WRITTEN[judged[claim, data].kind]
            for data in COLUMNS
        ]
        rows.append([claim.figure, f"[{claim.text}](#{claim.part})", *cells])
    table = markdown(("figure", "claim", *HEADINGS), rows)
    return f"## Verdicts\n\n{len(judged)} judgements: {joined(said)}.\n\n{table}"


def _plural(kind: str) -> str:
    return {"agrees": "agree", "disagrees": "disagree"}.get(kind, kind)


def differing(judged: Judged) -> list[str]:
    """Return a block that names the claims on which icons and the twin do not have the same verdict."""
    lines = []
    judgeable = 0
    for claim in CLAIMS:
        if not {"icons", "twin"} <= set(claim.data):
            continue
        icons, twin = judged[claim, "icons"], judged[claim, "twin"]
        if "not run" in (icons.kind, twin.kind):
            continue
        judgeable += 1
        if icons.kind != twin.kind:
            lines.append(
                f"- {claim.figure}: {claim.text}. icons: {icons.kind} ({icons.number}); twin: {twin.kind} "
                f"({twin.number})."
            )
    if not judgeable:
        return []
    opening = f"Of {count(judgeable, 'claim')} judged on both icons and the twin, {len(lines)} have different verdicts"
    text = "\n".join([opening + (":" if lines else "."), *([""] if lines else []), *lines])
    return [f"## Where the data sets differ\n\n{text}"]


_HEAD = f"""# The published study, run again

alray reimplements a published study of active learning on posts with images and texts. Here each of its figures and
tables is made again on data that everybody can have, with tests that hold, and each of its claims is judged by a rule.
The studies are made by

```
scripts/studies/reproduce --plan        # what runs, and how long each part takes on two cores
scripts/studies/reproduce               # hours; with --mnist PATH also what the study did on MNIST
scripts/studies/reproduce --page-only   # this page again, from the tables beside it
```

`icons` are 49,775 icons with names in 50 topics, split so that icons with the same words lie on one side. The twin is
made by `alray pool make synthetic`: 60,000 posts of image and text, with unequal classes, confusable topics, ambiguous
posts, wrong labels and absent modalities. MNIST is the user's own copy.

All have {SEEDS} seeds, each with a split of its own, 2,000 labels to begin with (MNIST: 500) and 20 a round, batches of
512 by the study's rule, committees of {MEMBERS} members, and else alray's defaults; where a figure needs something
else, its section says so. MNIST has a small CNN, batches of 64, and chooses among 5,000 random candidates a round.
Seconds are of two runs at a time, at times beside other work on the same cores."""

_RULES = f"""## The rules

Every interval is a 95 % interval that holds for all comparisons of its section on a data set together (joint sign flip
over the paired seeds). The area is the mean accuracy over the learning curve.

- *A learns faster (slower) than B*: agrees where the interval of the areas' difference lies on the claimed side of 0,
  disagrees where it lies on the other side; else one cannot tell.
- *A learns as B does*: agrees where the whole interval lies within {share(WITHIN)} of 0, disagrees where it lies
  beyond.
- *A claim of a size*: agrees where the interval holds the size and leaves 0 out, disagrees where it leaves the size
  out.
- *A correlation has a sign*: agrees where all intervals (t, over base models) that leave 0 out, at whatever dose, have
  the claimed sign, disagrees where all have the other one; else one cannot tell.

Nobody writes a verdict by hand: `scripts/studies/reproduction/rules.py` and `claims.py` do, and `claims.csv` has each
with its number."""
