"""The command ``rbo-ref``, outside the package, so that Ctrl-C while that is imported is no traceback."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; see `rbo_ref.cli.main`."""
    try:
        from rbo_ref.cli import main

        return main()
    except KeyboardInterrupt:
        print("rbo-ref: interrupted", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
