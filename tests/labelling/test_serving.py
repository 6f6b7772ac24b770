"""The page of `alray label serve` over HTTP: who gets what, what is saved, and who is refused."""

import http.client
import json
import shutil
import threading
from dataclasses import replace

import pandas as pd
import pytest

from alray.errors import SpecError, StoreError
from alray.labelling.campaign import Campaign
from alray.labelling.serving.desk import Desk, Said
from alray.labelling.serving.images import ImageError, read_image
from alray.labelling.serving.server import PageServer
from alray.labelling.serving.session import Session, _said
from alray.studies.campaign.ledger import empty_ledger
from alray.studies.campaign.store import CampaignStore
from tests.helpers.campaigns import begun, hidden_pool

EVIL = "<script>alert(1)</script>"
SVG = '<svg xmlns="http://www.w3.org/2000/svg"/>'


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Return a campaign with a batch of six objects, which no test changes."""
    folder = tmp_path_factory.mktemp("serving")
    (folder / "fine.svg").write_text(SVG)
    pool = hidden_pool(
        folder / "posts.parquet", words=[EVIL] * 150, pic=["fine.svg"] * 149 + ["../x.svg"]
    )
    campaign = begun(pool, folder, show=("words", "pic"), classes=(EVIL,))
    campaign.next(6)
    return campaign


@pytest.fixture
def copy(asked, tmp_path):
    shutil.copytree(asked.path, tmp_path / "posts")
    return Campaign(tmp_path / "posts")


@pytest.fixture
def server(copy):
    session = Session(copy)
    found = PageServer(session, "127.0.0.1", 0)
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()
    session.close()


def ask(server, path, given=None, *, token=None, **headers):
    link = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    body = None if given is None else json.dumps(given)
    kind = {} if given is None else {"Content-Type": "application/json"}
    address = f"/{server.token if token is None else token}/{path}"
    link.request("GET" if given is None else "POST", address, body, {**kind, **headers})
    reply = link.getresponse()
    content = reply.read()
    link.close()
    return reply, json.loads(content) if given is not None and reply.status < 404 else content


def test_two_assessors_answer_a_batch_and_it_is_in_the_ledger(server, copy):
    seen: dict[str, list[str]] = {"Ann": [], "Bob": []}
    states = {name: ask(server, "state", {"worker": name})[1] for name in seen}
    assert states["Ann"]["task"]["id"] != states["Bob"]["task"]["id"]
    for name in ("Ann", "Bob") * 3:
        task = states[name]["task"]["id"]
        seen[name].append(task)
        label = None if len(seen[name]) == 2 else EVIL
        given = {"worker": name, "task": task, "label": label}
        reply, states[name] = ask(server, "answer", given)
        assert reply.status == 200
    assert not set(seen["Ann"]) & set(seen["Bob"])
    done = states["Bob"]
    assert (done["given"], done["total"], done["waiting"], done["yours"]) == (6, 6, 0, 3)
    assert done["next"].startswith("alray label next 100 --campaign ")
    answers = CampaignStore(copy.path).answers()
    assert answers["outcome"].value_counts().to_dict() == {"used": 4, "skipped": 2}
    assert set(answers["worker"]) == {"Ann", "Bob"}
    assert set(answers["source"]) == {"alray label serve"}


def test_undo_brings_the_object_back_and_the_last_answer_counts(server, copy):
    first = ask(server, "state", {"worker": "Ann"})[1]["task"]["id"]
    ask(server, "answer", {"worker": "Ann", "task": first, "label": None})
    back = ask(server, "undo", {"worker": "Ann"})[1]
    assert (back["task"]["id"], back["given"], back["can_undo"]) == (first, 0, False)
    ask(server, "answer", {"worker": "Ann", "task": first, "label": "class-1"})
    reply, _ = ask(server, "answer", {"worker": "Ann", "task": first, "label": "class-2"})
    assert reply.status == 409, "an object twice to the same assessor"
    server.session.flush()
    assert copy.status().numbers["answers"] == 1
    assert copy.status().numbers["skipped"] == 0
    assert copy.export().set_index("id").loc[first, "label"] == "class-1"


def test_what_a_killed_page_has_left_is_added_once(copy):
    session = Session(copy)
    task = session.state("Ann")["task"]["id"]
    session.answer("Ann", task, "class-0")
    session._journal._file.write(b'{"task": "cut off')
    session._journal.close()  # as the end of a process does
    assert copy.status().numbers["answers"] == 0
    for left in (1, 0):
        again = Session(copy)
        assert again.left_over == left
        assert again.state("Ann")["task"]["id"] != task
        again.close()
    assert copy.status().numbers["answers"] == 1


def test_a_folder_that_another_process_holds_is_refused_or_waited_for(copy):
    with CampaignStore(copy.path), pytest.raises(StoreError, match="is being written"):
        Session(copy)
    session = Session(copy)
    with pytest.raises(StoreError, match="another `alray label serve` has this campaign"):
        Session(copy)
    session.answer("Ann", session.state("Ann")["task"]["id"], "class-0")
    with CampaignStore(copy.path):
        session.flush()
        assert "is being written" in session.state("Ann")["problem"]
    assert session.close() == (1, 1, "")
    with pytest.raises(SpecError, match="no class 'nothing'"):
        session.answer("Ann", session.state("Ann")["task"]["id"], "nothing")


def test_only_whoever_has_the_address_gets_in(server):
    reply, page = ask(server, "")
    assert reply.status == 200
    assert EVIL.encode() not in page
    policy = reply.getheader("Content-Security-Policy")
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    for token in ("", "wrong", server.token[:-1], "%ff"):
        assert ask(server, "", token=token)[0].status == 404
    for host, status in (("evil.example", 421), ("localhost:1", 200), ("127.0.0.1", 200)):
        assert ask(server, "", Host=host)[0].status == status
    wrong: tuple[object, ...] = (
        {"worker": ""},
        {"worker": "a\0b"},
        {"worker": "a" * 101},
        [],
        {"worker": 3},
    )
    for given in wrong:
        assert ask(server, "state", given)[0].status == 400
    assert (
        ask(server, "answer", {"worker": EVIL, "task": "object-0", "label": "x"})[0].status == 409
    )


def test_images_are_served_by_object_and_sandboxed(server, tmp_path):
    task = ask(server, "state", {"worker": "Ann"})[1]["task"]
    reply, content = ask(server, f"image?task={task['id']}&column=pic")
    assert (reply.status, content) == (200, SVG.encode())
    assert "sandbox" in reply.getheader("Content-Security-Policy")
    assert ask(server, f"image?task={task['id']}&column=words")[0].status == 404
    folder = tmp_path / "images"
    folder.mkdir()
    (tmp_path / "out.svg").write_text(SVG)
    (folder / "link.svg").symlink_to(tmp_path / "out.svg")
    (folder / "text.png").write_text("no image")
    for cell, message in (
        ("../out.svg", "not followed"),
        ("link.svg", "leads out"),
        ("text.png", "no image"),
        (str(folder / "link.svg"), "leads out"),
        ("none.png", "no such file"),
        ("images\0.png", "cannot be read"),
    ):
        with pytest.raises(ImageError, match=message):
            read_image(cell, folder)


def test_an_object_that_is_left_goes_to_others_and_several_answers_are_by_several():
    desk = Desk(2)
    desk.open(["a", "b"])
    assert [desk.next(name, 0.0) for name in ("x", "y", "z")] == ["a", "a", "b"]
    assert desk.next("w", 1.0) == "b"
    assert desk.next("v", 1.0) is None
    assert desk.next("v", 601.0) == "a"
    desk.answer(Said("a", "x", "answered"))
    assert desk.next("x", 1300.0) == "b"
    desk.answer(Said("b", "x", "skipped"))
    assert desk.next("x", 1300.0) is None
    assert (desk.progress("x").given, desk.progress("x").total) == (2, 4)


def test_an_unnamed_answer_counts_once_though_another_is_undone():
    """What is undone goes behind it in the ledger, so that its row is another one than before."""
    rows = [("a", "Ann", "used"), ("b", "", "used"), ("a", "Ann", "rejected")]
    answers = pd.DataFrame(rows, columns=["task", "worker", "outcome"])
    answers["status"] = answers["outcome"].replace("used", "answered")
    answers["time"], answers["answer_id"] = pd.NaT, None
    desk = Desk(2)
    for number in (2, 3):
        desk.load(_said(replace(empty_ledger(), answers=answers[:number])))
        desk.open(["a", "b"])
        assert desk.waiting() == 2
    assert desk.next("Bob", 0.0) == "a"
    desk.answer(Said("a", "Bob", "answered"))
    assert desk.next("Bob", 0.0) == "b", "one answer of two is there"


def test_no_columns_to_show_or_nothing_that_waits_is_said(tmp_path):
    campaign = begun(hidden_pool(tmp_path / "posts.parquet"), tmp_path)
    with pytest.raises(SpecError, match="name the columns of the pool to show with --show"):
        Session(campaign)
    with pytest.raises(SpecError, match="no object waits for an answer"):
        Session(campaign, ["id"])
