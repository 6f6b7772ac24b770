"""A campaign and a Label Studio project in step: each task goes once, each answer counts once, whatever goes wrong."""

import json

import pytest

from alray.errors import AlrayError
from alray.exchange import label_studio, label_studio_projects
from alray.exchange.label_studio import TOKEN, Pushed
from alray.labelling.campaign import Campaign
from alray.studies.campaign.store import CampaignStore
from tests.helpers.campaigns import answers, begun, hidden_pool, on_record, truth_of
from tests.helpers.label_studio import SECRET, running, server

__all__ = ["running", "server"]

DOWN = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    return hidden_pool(tmp_path_factory.mktemp("pool") / "posts.parquet")


@pytest.fixture
def campaign(pool, tmp_path):
    """Return a campaign that chooses without a fit, which is quick."""
    return begun(pool, tmp_path, initial=150)


def by(pool, ids):
    return {each: truth_of(pool)[each] for each in ids}


def project_file(campaign):
    return campaign.path / "label_studio.json"


def test_rounds_send_and_add_everything_once(server, pool, campaign):
    asked: list[str] = []
    for number in (1, 2):
        ids = list(campaign.next(8).tasks["id"])
        asked += ids
        found = campaign.sync(server.url if number == 1 else None)
        assert found.sent.origin == ("made" if number == 1 else "known")
        assert (found.sent.pushed, found.sent.waiting) == (Pushed(1, 8, 0), 8)
        again = campaign.sync()
        assert again.sent.pushed == Pushed(1, 0, 8)
        server.answer({**by(pool, ids[:-1]), ids[-1]: None})
        added = campaign.sync().pulled.added
        assert (added.used, added.skipped, added.repeated) == (7, 1, 8 * (number - 1))
        before = on_record(campaign)
        nothing = campaign.sync()
        assert (nothing.pulled.added.rows, nothing.sent.pushed) == ([], None)
        assert before["answers"].equals(on_record(campaign)["answers"])
    assert server.ids() == asked
    numbers = campaign.status().numbers
    assert (numbers["answers"], numbers["skipped"], numbers["waiting"]) == (14, 2, 0)
    assert json.loads(project_file(campaign).read_text()) == {"url": server.url, "number": 1}
    files = [each for each in campaign.path.rglob("*") if each.is_file()]
    assert not [each for each in files if SECRET.encode() in each.read_bytes()]


def test_a_project_asks_as_many_assessors_as_the_campaign_wants(server, pool, tmp_path):
    campaign = begun(pool, tmp_path, initial=150, answers=3)
    (one, *_) = campaign.next(4).tasks["id"]
    campaign.sync(f"{server.url}/")
    (project,) = server.projects
    assert (project["title"], project["maximum_annotations"]) == ("posts", 3)
    server.answer(by(pool, [one]), by=2)
    server.answer(by(pool, [one]), by=3)
    assert campaign.sync().sent.waiting == 4
    server.answer(by(pool, [one]), by=4)
    assert campaign.sync().sent.waiting == 3


def test_a_project_whose_number_never_arrived_is_found_again(server, campaign, monkeypatch):
    monkeypatch.setattr(label_studio_projects, "PROJECTS_PAGE", 1)
    campaign.next(6)
    server.lost = {"POST /api/projects/"}
    with pytest.raises(AlrayError, match="does not answer"):
        campaign.sync(server.url)
    server.lost = set()
    server.projects.append({"id": 2, "tasks": [], "title": "not ours", "description": None})
    found = campaign.sync(server.url).sent
    assert (found.origin, found.project.number, len(server.ids())) == ("found", 1, 6)
    project_file(campaign).unlink()
    again = campaign.sync(server.url).sent
    assert (again.origin, again.pushed, len(server.projects)) == ("found", Pushed(1, 0, 6), 2)


def test_tasks_whose_arrival_was_never_confirmed_go_once(server, campaign, monkeypatch):
    monkeypatch.setattr(label_studio, "BATCH", 4)
    ids = list(campaign.next(10).tasks["id"])
    server.lost = {"POST /api/projects/1/import"}
    with pytest.raises(AlrayError, match="does not answer"):
        campaign.sync(server.url)
    assert server.ids() == ids[:4]
    server.lost = set()
    assert campaign.sync().sent.pushed == Pushed(1, 6, 4)
    assert server.ids() == ids


def test_a_project_that_has_vanished_is_replaced_only_when_told_to(server, pool, campaign):
    first = list(campaign.next(6).tasks["id"])
    campaign.sync(server.url)
    server.answer(by(pool, first[:4]))
    campaign.sync()
    second = list(campaign.next(5).tasks["id"])
    server.projects[0]["id"] = 0
    before = on_record(campaign)
    with pytest.raises(AlrayError, match=r"no project 1 .* \(alray label sync --new-project\)"):
        campaign.sync()
    assert before["answers"].equals(on_record(campaign)["answers"])
    found = campaign.sync(new_project=True).sent
    assert (found.origin, found.project.number, found.left_behind) == ("made", 2, 2)
    assert server.ids(2) == second
    assert campaign.sync().sent.project.number == 2


def test_another_project_is_made_once_though_its_number_never_arrived(server, campaign):
    campaign.next(5)
    campaign.sync(server.url)
    server.lost = {"POST /api/projects/"}
    with pytest.raises(AlrayError, match="does not answer"):
        campaign.sync(new_project=True)
    server.lost = set()
    found = campaign.sync(new_project=True).sent
    assert (found.origin, found.project.number, len(server.projects)) == ("found", 2, 2)
    another = campaign.sync(new_project=True).sent
    assert (another.origin, another.project.number) == ("made", 3)


def test_a_project_of_another_campaign_is_refused_before_anything_is_sent(server, pool, tmp_path):
    others = begun(pool, tmp_path, initial=150, name="others")
    others.next(5)
    others.sync(server.url)
    campaign = begun(pool, tmp_path, initial=150)
    campaign.next(5)
    message = "names project 1 of .*, which the campaign others, begun 20.*, has made for itself; "
    with pytest.raises(AlrayError, match=f"--project {message}leave it out"):
        campaign.sync(server.url, project=1)
    assert campaign.project is None
    project_file(campaign).write_bytes(project_file(others).read_bytes())
    with pytest.raises(AlrayError, match=f"label_studio.json {message}have another one made"):
        campaign.sync()
    assert server.asked["POST /api/projects/1/import"] == 1
    assert campaign.sync(new_project=True).sent.project.number == 2


def test_a_project_of_ones_own_is_taken_where_it_can_be_used(server, pool, campaign):
    (one, *_) = campaign.next(5).tasks["id"]
    names = sorted(set(truth_of(pool).values()))
    choices = "".join(f'<Choice value="{name}"/>' for name in names[:-1])
    config = '<View><Text name="t" value="$alray_id"/><Choices name="alray_class" toName="t">{}</Choices></View>'
    there = {"data": {"alray_id": "nobody's"}, "annotations": []}
    server.projects = [
        {"id": 1, "label_config": config.format(choices), "tasks": [there]},
    ]
    with pytest.raises(
        AlrayError, match=r"project 1 of .* has 1 task, and none .*nobody's; leave"
    ):
        campaign.sync(server.url, project=1)
    server.projects[0]["tasks"] = [{"data": {"alray_id": one}, "annotations": []}]
    with pytest.raises(AlrayError, match=f"does not offer {names[-1]} to choose"):
        campaign.sync(server.url, project=1)
    assert campaign.project is None
    server.projects[0]["label_config"] = config.format(f'{choices}<Choice value="{names[-1]}"/>')
    assert campaign.sync(server.url, project=1).sent.pushed == Pushed(1, 4, 1)
    assert json.loads(project_file(campaign).read_text())["number"] == 1


def test_answers_about_other_objects_do_not_stand_in_the_way(server, pool, campaign):
    campaign.next(5)
    campaign.sync(server.url)
    asked = set(server.ids())
    other = next(each for each in truth_of(pool) if each not in asked)
    server.projects[0]["tasks"] += [
        {"data": {"alray_id": each}, "annotations": []} for each in (other, "nobody's")
    ]
    server.answer({other: "spam", "nobody's": "spam"})
    added = campaign.sync().pulled.added
    assert (added.used, added.unasked, added.unknown) == (0, [other], ["nobody's"])
    assert campaign.sync().pulled.added.repeated == 2


def test_a_class_that_is_not_known_is_not_added_until_it_is_allowed(server, campaign):
    (one, *_) = campaign.next(5).tasks["id"]
    campaign.sync(server.url)
    server.answer({one: "new"})
    with pytest.raises(AlrayError, match=r"project 1 of .* 'new' .*sync` with --allow-new"):
        campaign.sync()
    assert on_record(campaign)["answers"].empty
    server.projects[0]["label_config"] = server.projects[0]["label_config"].replace(
        "</Choices>", '<Choice value="new"/></Choices>'
    )
    assert campaign.sync(allow_new_classes=True).pulled.added.new_classes == ["new"]


def test_which_project_is_meant_has_to_be_clear(server, campaign):
    for url, message in ((None, "knows no Label Studio server yet"), (server.url, "no batch has")):
        with pytest.raises(AlrayError, match=message):
            campaign.sync(url)
    campaign.next(5)
    campaign.sync(server.url)
    with pytest.raises(AlrayError, match=r"is now at http://elsewhere, .* --project 1, and"):
        campaign.sync("http://elsewhere")
    with pytest.raises(AlrayError, match="leave one of them out"):
        campaign.sync(project=1, new_project=True)
    project_file(campaign).write_text('{"url": 1}')
    with pytest.raises(AlrayError, match="does not say which project it is; remove it, and name"):
        campaign.sync()


def test_a_server_that_is_down_or_refuses_changes_nothing(server, pool, campaign, monkeypatch):
    ids = list(campaign.next(5).tasks["id"])
    with pytest.raises(AlrayError, match=f"{DOWN} does not answer"):
        campaign.sync(DOWN)
    assert campaign.project is None
    campaign.sync(server.url)
    server.answer(by(pool, ids))
    monkeypatch.setenv(TOKEN, "wrong")
    with pytest.raises(AlrayError, match="refuses the token in LABEL_STUDIO_API_KEY"):
        campaign.sync()
    monkeypatch.delenv(TOKEN)
    with pytest.raises(AlrayError, match="LABEL_STUDIO_API_KEY is not set"):
        campaign.sync()
    assert on_record(campaign)["answers"].empty
    monkeypatch.setenv(TOKEN, SECRET)
    assert campaign.sync().pulled.added.used == 5


def test_two_at_once_do_not_send_tasks_twice(server, campaign):
    campaign.next(5)
    with CampaignStore(campaign.path), pytest.raises(AlrayError):
        campaign.sync(server.url)
    assert not server.projects
    campaign.sync(server.url)
    with CampaignStore(campaign.path), pytest.raises(AlrayError):
        campaign.push()
    assert len(server.ids()) == 5


def test_answers_that_came_otherwise_are_not_waited_for(server, pool, campaign):
    ids = list(campaign.next(5).tasks["id"])
    campaign.add(answers(pool, ids[:2]))
    assert campaign.sync(server.url).sent.waiting == 3
    assert server.ids() == ids[2:]
    assert Campaign(campaign.path).project == campaign.project
