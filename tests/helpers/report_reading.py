"""Pages and figures as tests see them: elements and text, and a browser that opens a page and chooses in it."""

import json
import re
import subprocess
from html.parser import HTMLParser

from typing_extensions import override

from alray.reporting.correlation import page as correlation_page
from alray.reporting.correlation.frames import choose
from alray.reporting.sweep import page as sweep_page
from alray.reporting.sweep.style import arms_of
from tests.helpers.browsers import chromium
from tests.helpers.paths import local

VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """A page's elements, its text outside of scripts and styles, and whether every element is closed."""

    def __init__(self, content):
        super().__init__()
        self.elements, self.open, self.text, self.scripts = [], [], [], []
        self.feed(content.decode())
        self.close()

    @override
    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    @override
    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    @override
    def handle_data(self, data):
        if self.open[-1:] == ["script"]:
            self.scripts.append(data)
        elif self.open[-1:] != ["style"]:
            self.text.append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self):
        return " ".join(" ".join(self.text).split())


def html_of(made):
    """Return the page of a report that was written."""
    return local(made.page).read_text()


def figures_in(html):
    """Return the data of a page's figures."""
    return json.loads(html.partition('id="shown">')[2].partition("</script>")[0])


def sweep_html(results):
    """Return the page and its figures: files of figures take longer."""
    arms = arms_of(results.summary)
    figures = sweep_page.figures_of(results, arms)
    return sweep_page.page_of(results, figures, arms), figures


def correlation_html(results):
    """Return the page and its figures."""
    choice = choose(results.summary, results.outcomes, results.main_outcome, results.main_epochs)
    figures = correlation_page.figures_of(results, choice)
    return correlation_page.page_of(results, figures, choice), figures


def texts_of(figure):
    """Return the texts of a printed figure."""
    return re.findall(r">([^<]+)<", figure.svg().decode())


def figures_drawn(html):
    """Return the names of the figures that a browser has drawn."""
    return re.findall(r'data-figure="(\w+)"[^>]*><svg.*?</svg>', html, re.DOTALL)


def assert_without_gaps(page):
    """What does not exist is shown as a dash."""
    assert page.open == []
    assert not re.search(r"\bnan\b", page.words, re.IGNORECASE)
    assert "<NA>" not in page.words


def opened_with(page, choices, folder):
    """Return console messages, and the drawn page before and after values have been chosen in its fields."""
    choosing = f"""<script>
      const waiting = setInterval(() => {{
        if (!document.documentElement.hasAttribute("data-drawn")) return;
        clearInterval(waiting);
        const before = document.createElement("template");
        before.innerHTML = document.body.innerHTML;
        for (const [name, value] of Object.entries({json.dumps(choices)})) {{
          const select = document.querySelector(`select[name=${{name}}]`);
          select.value = value;
          select.dispatchEvent(new Event("change"));
        }}
        document.body.append(before);
      }}, 50);
    </script>"""
    policy = r'<meta http-equiv="Content-Security-Policy"[^>]*>'
    messages, drawn = opened((re.sub(policy, "", page.decode()) + choosing).encode(), folder)
    after, _, before = drawn.rpartition("<template>")
    return messages, before, after


def opened(page, folder):
    """Return console messages and the drawn page, as a browser has it after a while."""
    (folder / "report.html").write_bytes(page)
    ran = subprocess.run(
        [
            chromium(),
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            f"--user-data-dir={folder / 'profile'}",
            *("--enable-logging=stderr", "--v=0", "--virtual-time-budget=20000", "--dump-dom"),
            (folder / "report.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [line for line in ran.stderr.splitlines() if "CONSOLE" in line], ran.stdout
