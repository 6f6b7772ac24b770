"""The library in a real notebook, run without a browser."""

import pytest


def test_a_sweep_in_a_notebook_shows_progress_itself_and_a_chart(pool, tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    spec = {
        "name": "study",
        "pool": {"source": str(pool)},
        "strategies": ["random"],
        "seeds": 1,
        "initial": 60,
        "query": 5,
        "rounds": 2,
        "training": {"passive_epochs": 2},
        "execution": {"executor": "inline"},
    }
    cells = (
        f"import alray\nstudy = alray.sweep({spec!r}, results={str(tmp_path)!r})",
        "study",
        "study.chart('curves')",
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [
        "".join(
            output["data"].get("text/html", "") for output in cell["outputs"] if "data" in output
        )
        for cell in notebook["cells"]
    ]
    assert '<progress value="3" max="3"></progress>' in shown[0]
    assert "<td>random</td>" in shown[1]
    assert "vega" in shown[2]
