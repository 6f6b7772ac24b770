"""Strategies of another library on Ray: the same records as in one process."""

import pytest

from alray import api
from tests.helpers.studies import PRODUCTS, assert_same_records, settings

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("cluster")]
pytest.importorskip("skactiveml", reason="needs scikit-activeml")


def test_records_on_ray_are_those_of_one_process(pool, tmp_path):
    strategies = ["random", "skactiveml:TypiClust", "skactiveml:Badge"]
    study = settings(pool, strategies=strategies, rounds=2)
    expected = api.sweep(study, results=tmp_path / "inline")
    on_ray = {"executor": "ray", "parallel": 2, "products": PRODUCTS}
    found = api.sweep({**study, "execution": on_ray}, results=tmp_path / "ray")
    assert found.runs["status"].tolist() == ["finished"] * 3
    assert_same_records(expected, found)
