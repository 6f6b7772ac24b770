"""`alray` in a process that has joined a cluster already: python -m tests.helpers.on_cluster ADDRESS ARGUMENTS..."""

import logging
import sys

import ray

from alray.cli import main

if __name__ == "__main__":
    ray.init(address=sys.argv[1], log_to_driver=False, logging_level=logging.ERROR)
    main(sys.argv[2:])
