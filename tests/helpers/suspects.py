"""A table of judged labels, by hand."""

import numpy as np
import pandas as pd


def suspects_table(own: np.ndarray, count: int) -> pd.DataFrame:
    """Return a row per label, with the probabilities that it has; the first `count` are suspect."""
    return pd.DataFrame(
        {
            "rank": range(1, len(own) + 1),
            "id": [
                f"posts/2024/an-object-with-a-long-name-{number}" for number in range(len(own))
            ],
            "label": "signs_and_symbols/flags",
            "suggested": "geography",
            "self_confidence": own,
            "suggested_confidence": 1 - own,
            "margin": own,
            "suspect": np.arange(len(own)) < count,
        }
    )
