"""Values on the command line that are not YAML."""

import pytest

from tests.helpers.command import alray

CASES = [
    (["sweep", "--set", "training.lr=[1"], "--set training.lr: [1 is not YAML: while parsing"),
    (["sweep", "--set", "model.options={a"], "(line 1, column 3); correct it"),
    (["correlate", "--set", "pool.label='x"], "found unexpected end of stream"),
    (["sweep", "--set", "pool.label=2001-99-99"], "text: --set 'pool.label=\"2001-99-99\"'"),
    (["sweep", "--vary", "model.width=[1,2"], "values that are lists under vary in a settings"),
]


@pytest.mark.parametrize(("words", "message"), CASES, ids=str)
def test_a_value_that_is_no_yaml_is_refused_and_how_to_quote_it_shown(words, message):
    done = alray(*words, "--dry-run")
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.output


def test_a_text_of_such_signs_is_taken_as_its_error_says():
    done = alray("sweep", "--set", 'pool.label="[1"', "--dry-run")
    assert "no column '[1'" in done.stderr
