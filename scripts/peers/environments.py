"""The peers' virtual environments: made once from pinned requirements, known by a stamp."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def python_of(name: str, folder: Path) -> Path:
    """Return the interpreter of this environment, made if it is not there; "" is the present one.

    Raises:
        RuntimeError: It could not be made; holds what pip said.
    """
    if not name:
        return Path(sys.executable)
    requirements = HERE / f"requirements-{name}.txt"
    place = folder / name
    python, stamp = place / "bin" / "python", place / "requirements.stamp"
    wanted = f"{sys.version_info[:2]}\n{requirements.read_text()}"
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    folder.mkdir(parents=True, exist_ok=True)
    # The folder may lie in a checkout, whose tools and commits it is none of.
    (folder / ".gitignore").write_text("*\n")
    print(f"installing {name} into {place} (minutes)", file=sys.stderr, flush=True)
    _run([sys.executable, "-m", "venv", "--clear", str(place)])
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]
    _run([str(python), *install, str(requirements)])
    stamp.write_text(wanted)
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
