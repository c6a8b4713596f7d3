"""``python -m wire502`` is the command ``wire502``."""

from __future__ import annotations

import sys

from wire502.cli import main

if __name__ == "__main__":
    sys.exit(main())
