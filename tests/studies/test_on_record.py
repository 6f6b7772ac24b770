"""What a file of answers has beside the record, whatever files came before."""

from hypothesis import given, settings
from hypothesis import strategies as st

from alray.studies.campaign.on_record import Version, compared

FILES = st.lists(st.lists(st.sampled_from("ABC"), min_size=1, max_size=5), min_size=1, max_size=5)
KEY = ("object", "ann", "")


def versions(labels):
    return [Version(label, "answered") for label in labels]


def add(labels, record):
    """Add a file without times, and return what was new and what is taken for older."""
    found = compared([KEY] * len(labels), versions(labels), [False] * len(labels), {KEY: record})
    record += versions(labels[row] for row in sorted(found.new))
    return found


@settings(max_examples=100)
@given(FILES)
def test_what_was_added_once_adds_nothing_ever_after(files):
    record: list[Version] = []
    for number, labels in enumerate(files):
        found = add(labels, record)
        assert found.older or record[-1].label == labels[-1], "the file's last answer counts"
        for before in files[: number + 1]:
            assert add(before, record).new == []


@settings(max_examples=100)
@given(FILES)
def test_a_file_that_only_grows_is_on_record_as_it_is(files):
    record: list[Version] = []
    log: list[str] = []
    for labels in files:
        log += labels
        assert add(log, record).older == []
        changes = [label for row, label in enumerate(log) if row == 0 or log[row - 1] != label]
        assert record == versions(changes)
