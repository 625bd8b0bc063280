"""``python -m rbo_ref.cli``: the same as ``rbo-ref``."""

import sys

from rbo_ref.cli import main

if __name__ == "__main__":
    sys.exit(main())
