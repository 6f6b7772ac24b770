"""`alray label serve` as assessors meet it: a real browser clicks and types its way through a batch."""

import signal
import subprocess
import sys

import pytest
from playwright.sync_api import sync_playwright

from alray.labelling.campaign import Campaign
from tests.helpers.browsers import chromium
from tests.helpers.campaigns import begun, hidden_pool

EVIL = "<img src=x onerror=document.title='broken'>"
MANY = tuple(f"kind {number:02}" for number in range(1, 13))


@pytest.fixture(scope="module")
def browser():
    found = chromium()
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]
        with playwright.chromium.launch(executable_path=found, args=options) as opened:
            yield opened


@pytest.fixture
def serving(tmp_path):
    """Return a function that serves a batch of six objects; it gives the campaign, the page's address and its end."""
    processes = []

    def started(**settings):
        pool = hidden_pool(tmp_path / "posts.parquet", words=[EVIL] * 150)
        campaign = begun(pool, tmp_path, show=("words",), **settings)
        campaign.next(6)
        arguments = ["label", "serve", "--campaign", str(campaign.path), "--port", "0"]
        process = subprocess.Popen(
            [sys.executable, "-m", "alray", *arguments], stdout=subprocess.PIPE, text=True
        )
        processes.append(process)
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        assert lines[0] == "6 objects to answer about, at\n"

        def ended():
            process.send_signal(signal.SIGINT)
            return process.communicate(timeout=60)[0]

        return campaign, lines[1].strip(), ended

    yield started
    for process in processes:
        process.kill()
        process.communicate()


def opened_by(browser, url, name):
    """Return the page of an assessor, and the texts of what went wrong in it."""
    page, problems = browser.new_context().new_page(), []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    page.goto(url)
    page.fill("#worker", name)
    page.click("text=Begin")
    page.wait_for_selector("#object:visible")
    return page, problems


def said(page, text):
    """Wait until the page says so."""
    page.wait_for_function(
        "text => document.getElementById('said').textContent === text", arg=text
    )


def test_two_assessors_answer_a_batch_by_keys_and_clicks(browser, serving):
    campaign, url, ended = serving()
    ann, problems = opened_by(browser, url, "Ann")
    bob, of_bob = opened_by(browser, url, "Bob")
    assert ann.inner_text("#shown .text") == EVIL, (
        "what the pool holds is text, never part of the page"
    )
    assert ann.inner_text("#title") != bob.inner_text("#title")
    first = ann.inner_text("#title").removeprefix("object ")
    ann.keyboard.press("2")
    said(ann, "Saved: class-1.")
    ann.keyboard.press("u")
    said(ann, "Taken back: answer again.")
    assert ann.inner_text("#title") == f"object {first}"
    ann.keyboard.press("3")
    said(ann, "Saved: class-2.")
    ann.keyboard.press("s")
    said(ann, "Saved: cannot tell.")
    for _ in range(4):
        before = bob.inner_text("#title")
        bob.click("#classes button:has-text('class-0')")
        bob.wait_for_function(
            "before => document.getElementById('title').textContent !== before "
            "|| document.getElementById('object').hidden",
            arg=before,
        )
        if not bob.is_visible("#object"):
            break
    ann.keyboard.press("1")
    ann.wait_for_selector("text=All objects of the batch are answered.")
    assert "alray label next 100 --campaign" in ann.inner_text("#command")
    assert ann.inner_text("#numbers") == "6 of 6 answers; yours: 3"
    assert (problems, of_bob) == ([], [])
    assert "6 answers came by 2 assessors\nnext: alray label status" in ended()
    numbers = Campaign(campaign.path).status().numbers
    assert (numbers["answers"], numbers["skipped"]) == (5, 1)
    assert campaign.export().set_index("id").loc[first, "label"] == "class-2"


def test_many_classes_are_found_by_typing_and_a_server_that_ended_is_said(browser, serving):
    campaign, url, ended = serving(classes=MANY)
    page, _ = opened_by(browser, url, "Ann")
    task = page.inner_text("#title").removeprefix("object ")
    page.keyboard.type("d 07")
    assert page.locator("#classes button").all_inner_texts() == ["kind 07"]
    page.keyboard.press("Enter")
    said(page, "Saved: kind 07.")
    assert "1 answer came by 1 assessor" in ended()
    assert Campaign(campaign.path).export().set_index("id").loc[task, "label"] == "kind 07"
    page.keyboard.press("Alt+s")
    page.wait_for_selector("#problem:visible")
    assert "The server does not answer" in page.inner_text("#problem")
