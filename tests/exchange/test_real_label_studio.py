"""Three rounds, of tasks and of a campaign, against a real Label Studio on loopback, with SQLite.

ALRAY_LABEL_STUDIO names its command. It wants other versions of packages than alray has: `python -m venv
/tmp/studio`, `/tmp/studio/bin/pip install label-studio==1.23.2`, and ALRAY_LABEL_STUDIO=/tmp/studio/bin/label-studio.
"""

import json
import os
import socket
import subprocess
import time
import urllib.request
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alray.exchange.label_studio import TOKEN, Pushed, pull, push
from alray.exchange.reading import read_answers
from alray.labelling.campaign import Campaign
from tests.helpers.campaigns import hidden_pool, truth_of
from tests.helpers.command import alray

pytestmark = pytest.mark.slow
COMMAND = os.environ.get("ALRAY_LABEL_STUDIO")
SECRET = "0123456789abcdef0123456789abcdef01234567"
CLASSES = ["cat", 'd<&">g', "x,y"]
QUICK = ("--set", "training.passive_epochs=5", "--set", "model.width=16")
ROUNDS = [["007", "7", "-5"], ["=1+1", "a" * 64, "ünï ✓"], ["b", "007", "c"]]


class Studio:
    """A server that is asked with the user's token."""

    def __init__(self, address):
        self.address = address

    def ask(self, path, body=None, method=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Token {SECRET}"}
        request = urllib.request.Request(f"{self.address}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def annotate(self, project, names, classes, about="show_text"):
        """Answer about the objects of these ids: by a class, or by a skip where there is none."""
        tasks = self.ask(f"/api/tasks/?project={project}&page=1&page_size=100")["tasks"]
        numbers = {each["data"]["alray_id"]: each["id"] for each in tasks}
        for name, label in zip(names, classes, strict=True):
            value = {"choices": [label]}
            result = {"from_name": "alray_class", "to_name": about, "type": "choices"}
            body = {"result": [{**result, "value": value}], "lead_time": 1.5}
            skip = {"result": [], "was_cancelled": True}
            self.ask(f"/api/tasks/{numbers[name]}/annotations/", skip if label is None else body)


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    if not COMMAND:
        pytest.skip("ALRAY_LABEL_STUDIO names no command of a Label Studio")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    given = {
        "LABEL_STUDIO_BASE_DATA_DIR": str(tmp_path_factory.mktemp("studio")),
        "LABEL_STUDIO_USERNAME": "a@example.org",
        "LABEL_STUDIO_PASSWORD": "not-a-secret-1",
        "LABEL_STUDIO_USER_TOKEN": SECRET,
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "collect_analytics": "False",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LATEST_VERSION_CHECK": "False",
    }
    words = [COMMAND, "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        words,
        env={**os.environ, **given},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    server = Studio(f"http://127.0.0.1:{port}")
    try:
        wait_for(server, process)
        yield server
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def wait_for(server, process):
    for _ in range(600):
        assert process.poll() is None, "the server has ended"
        try:
            server.ask("/api/projects/")
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise AssertionError("the server does not answer")


def test_three_rounds(studio, monkeypatch, tmp_path):
    monkeypatch.setenv(TOKEN, SECRET)
    project: Any = None
    expected: dict[str, list[Any]] = {}
    seen: set[str] = set()
    for number, names in enumerate(ROUNDS):
        tasks = pd.DataFrame(
            {
                "id": names,
                "text": ["two\nlines", "", "=1+1 <b>"],
                "url": "https://example.org/1.png",
                "predicted": ["cat", None, 'd<&">g'],
                "probability": [0.5, None, 0.7],
                "priority": [1.0, 3.0, 2.0],
            }
        )
        new = len({*names} - seen)
        pushed = push(studio.address, project, tasks, CLASSES, title="three rounds")
        project = pushed.project
        assert pushed == Pushed(project, new, len(names) - new)
        assert push(studio.address, project, tasks, CLASSES) == Pushed(project, 0, len(names))
        seen |= {*names}
        classes = [CLASSES[number], None, CLASSES[(number + 1) % 3]]
        studio.annotate(project, names, classes)
        for name, label in zip(names, classes, strict=True):
            expected.setdefault(name, []).append(
                (label, "skipped" if label is None else "answered")
            )
        found, _ = pull(studio.address, project)
        answers = {
            name: [tuple(row) for row in rows.sort_values("time")[["label", "status"]].values]
            for name, rows in found.groupby("task")
        }
        assert answers == expected
        assert found["answer_id"].is_unique
    found, _ = pull(studio.address, project)
    given = studio.ask(f"/api/projects/{project}/")["label_config"]
    assert "alray_class" in given
    for kind, skips in (("JSON", 3), ("JSON_MIN", 0)):
        export = studio.ask(f"/api/projects/{project}/export?exportType={kind}")
        (tmp_path / kind).write_text(json.dumps(export))
        table, _ = read_answers(tmp_path / kind)
        assert (table["status"] == "skipped").sum() == skips
        kept = found[found["status"] == "answered"]
        given = table[table["status"] == "answered"]
        # As text, since no NaN equals another.
        rows, other = (sorted(map(str, each.itertuples(index=False))) for each in (given, kept))
        assert rows == other
    personal = studio.ask("/api/token/", {})["token"]
    monkeypatch.setenv(TOKEN, personal)
    again, _ = pull(studio.address, project)
    pd.testing.assert_frame_equal(again, found)


def test_three_rounds_of_a_campaign(studio, monkeypatch, tmp_path):
    monkeypatch.setenv(TOKEN, SECRET)
    monkeypatch.chdir(tmp_path)
    pool = hidden_pool(tmp_path / "posts.parquet", objects=200)
    table = pq.read_table(pool)
    words = pa.array([f"post <{row}>" for row in range(len(table))])
    pq.write_table(table.append_column("words", words), pool)
    truth, seen, project = truth_of(pool), list[str](), 0
    said("start", "posts.parquet", "--show", "words", "--initial", 20, "--audit", 0.3, *QUICK)
    for number in (1, 2, 3):
        address = ("--label-studio", studio.address) if number == 1 else ()
        assert f"pushed: 20 objects of batch {number}" in said("next", 20, "--sync", *address)
        campaign = Campaign("results/posts-labels")
        there = campaign.project
        assert there is not None
        ids = [each for each in campaign._store.batches()["id"] if each not in seen]
        seen += ids
        project = there.number
        labels = [*(truth[each] for each in ids[:-1]), None]
        studio.annotate(project, ids, labels, "show_words")
        assert "added: 19 answers used and 1 skipped" in said("sync")
        assert f"nothing is new: all {20 * number} answers are on record" in said("sync")
    tasks = studio.ask(f"/api/tasks/?project={project}&page=1&page_size=100")["tasks"]
    assert sorted(each["data"]["alray_id"] for each in tasks) == sorted(seen)
    status = said("status")
    assert "81 objects of 200 have a label; 0 objects wait for answers." in status
    store = Campaign("results/posts-labels")._store
    assert store.answers().query("outcome == 'used'").set_index("task")["label"].to_dict() == {
        each: truth[each] for at, each in enumerate(seen) if at % 20 != 19
    }
    said("next", 10, "--sync")
    studio.ask(f"/api/projects/{project}/", method="DELETE")
    assert "--new-project" in said("sync", code=2)
    assert "pushed: 10 objects of batch 4" in said("sync", "--new-project")
    monkeypatch.setenv(TOKEN, "0" * 40)
    assert "refuses the token in LABEL_STUDIO_API_KEY" in said("sync", code=2)


def said(*words, code=0):
    """Type a command, and return what it says on one line."""
    found = alray("label", *words)
    assert found.exit_code == code, found.output
    return " ".join(found.output.split())
