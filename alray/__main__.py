"""`python -m alray`."""

from alray.cli import main

main()
