"""`python -m alray`."""

import sys

# Python puts the present folder first: a file there called `torch.py` would hide the library.
sys.path[:] = [*sys.path[1:]] if not sys.flags.safe_path else sys.path

from alray.cli import main  # noqa: E402 -- only now

main()
