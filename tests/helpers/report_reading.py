"""What tests of pages look with: a page's elements and text, and a browser that opens it."""

import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from typing_extensions import override

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


def opened(page, folder):
    """Return console messages and the drawn page, as a browser has it after a while."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("needs chromium")
    (folder / "report.html").write_bytes(page)
    ran = subprocess.run(
        [
            browser,
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
