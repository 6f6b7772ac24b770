"""A campaign in an object store: the batches and labels of a local one, and its page beside them."""

import pytest

from alray.errors import SpecError
from alray.labelling.campaign import Campaign
from alray.labelling.serving.session import Session
from tests.helpers.campaigns import assert_same_ledger, begun, hidden_pool, play
from tests.helpers.command import alray
from tests.helpers.object_store import BUCKET, running_server, server

__all__ = ["running_server", "server"]


def test_a_campaign_to_s3_is_equal_to_a_local_one(server, tmp_path):
    pool = hidden_pool(tmp_path / "posts.parquet")
    away = begun(pool, f"s3://{BUCKET}/campaigns")
    assert str(away.path) == f"s3://{BUCKET}/campaigns/posts"
    here = begun(pool, tmp_path / "here")
    for campaign in (away, here):
        play(campaign, pool, 2, 10)
    assert_same_ledger(away, here)
    assert (
        Campaign(str(away.path))
        .export()
        .drop(columns="time")
        .equals(here.export().drop(columns="time"))
    )
    shown = alray("label", "status", "--campaign", str(away.path))
    assert shown.exit_code == 0, shown.output
    assert f"page: {away.path}/status.html" in shown.output.replace("\n", "")
    assert b"Campaign posts" in server.read("campaigns/posts/status.html")
    away.next(4)
    with pytest.raises(SpecError, match="needs a campaign in a folder of this machine"):
        Session(away)
