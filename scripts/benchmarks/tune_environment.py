"""The environment that Ray Tune's contestant plays in: this checkout and the versions installed here, and Tune's extras."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / ".bench" / "tune"


def tune_python() -> Path:
    """Return the environment's interpreter; the environment is made where it is missing or has other versions.

    Raises:
        RuntimeError: It could not be made; holds what pip said.
    """
    wanted = [f"torch=={version('torch').partition('+')[0]}", f"ray[tune]=={version('ray')}"]
    python, stamp = PLACE / "bin" / "python", PLACE / "requirements.stamp"
    text = f"{sys.version_info[:2]} {ROOT} {' '.join(wanted)}\n"
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == text:
        return python
    PLACE.parent.mkdir(exist_ok=True)
    # The folder lies in the checkout, whose tools and commits it is none of.
    (PLACE.parent / ".gitignore").write_text("*\n", encoding="utf-8")
    print(f"installing Ray Tune into {PLACE} (minutes)", file=sys.stderr, flush=True)
    _run([sys.executable, "-m", "venv", "--clear", str(PLACE)])
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    constraint = ["--constraint", str(ROOT / "scripts" / "constraints.txt")]
    _run([*pip, *constraint, *wanted, "--editable", str(ROOT)])
    stamp.write_text(text, encoding="utf-8")
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
