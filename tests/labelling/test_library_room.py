"""Strategies of another library that compare all with all are refused before anything is asked, not afterwards."""

import pytest

from alray.errors import SpecError
from alray.labelling import choosing
from tests.helpers.campaigns import begun, hidden_pool
from tests.helpers.choosing import OBJECTS, chosen, labelled_objects, table, trained_network, write

pytest.importorskip("skactiveml", reason="needs scikit-activeml")
QUIRE = "skactiveml:Quire"


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    """Return a pool of 2,124 objects, 24 of them with a label."""
    return hidden_pool(tmp_path_factory.mktemp("pool") / "posts.parquet", objects=2124)


@pytest.mark.parametrize("in_parts", [False, True])
def test_a_campaign_does_not_begin_with_more_candidates_than_can_be_compared(
    pool, tmp_path, in_parts
):
    """Of 2,100 candidates 2,040 are left when 84 are labelled, and 2,000 can be compared."""
    settings = {"strategy": QUIRE, "audit": 0, "in_parts": in_parts}
    message = r"Quire \(scikit-activeml .* 2,040 are more than the 2,000 .* use another strategy"
    with pytest.raises(SpecError, match=message) as caught:
        begun(pool, tmp_path, initial=84, **settings)
    assert "--candidates" not in str(caught.value)
    assert not list(tmp_path.iterdir())
    assert begun(pool, tmp_path, initial=124, **settings).settings.strategy == QUIRE


def test_a_short_list_has_no_more_either(tmp_path_factory, monkeypatch):
    path = write(tmp_path_factory.mktemp("parts") / "pool.parquet", 3, table(3 * OBJECTS))
    monkeypatch.setattr(choosing, "choose_with", lambda *_: pytest.fail("the pool was read"))
    network = trained_network()
    for number, way in (
        (20, "use shortlist=2000, or"),
        (2001, "choose at most 2,000 objects, or"),
    ):
        with pytest.raises(
            SpecError, match=rf"2,001 are more than the 2,000 .*: {way} use another"
        ):
            chosen(path, network, QUIRE, number, shortlist=2001)


def test_a_small_pool_is_chosen_from_whatever_the_short_list_may_have(tmp_path):
    path = write(tmp_path / "pool.parquet", 1, table(60))
    options = {"shortlist": 9000, "labelled": labelled_objects()}
    assert len(chosen(path, trained_network(), QUIRE, 5, **options)) == 5
