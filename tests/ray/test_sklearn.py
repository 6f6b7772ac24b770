"""Scikit-learn classifiers on Ray: the same records as in one process."""

import pytest

from alray import api
from tests.helpers.studies import PRODUCTS, assert_same_records, settings

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("cluster")]
MINE = """
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.decomposition import PCA

pipeline = make_pipeline(PCA(4), LogisticRegression())
"""


@pytest.mark.parametrize(
    "name", ["sklearn:sklearn.ensemble.RandomForestClassifier", "sklearn:mine.pipeline"]
)
def test_records_on_ray_are_those_of_one_process(pool, tmp_path, folder, name):
    (folder / "mine.py").write_text(MINE)
    study = settings(
        pool, model={"name": name}, training={}, strategies=["random", "bald:members=2"], rounds=2
    )
    expected = api.sweep(study, results=tmp_path / "inline")
    on_ray = {"executor": "ray", "parallel": 2, "products": PRODUCTS}
    found = api.sweep({**study, "execution": on_ray}, results=tmp_path / "ray")
    assert found.runs["status"].tolist() == ["finished"] * 2
    assert_same_records(expected, found)
