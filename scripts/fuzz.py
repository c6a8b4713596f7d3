#!/usr/bin/env python3
"""Feeds wire502 what nobody should have captured, and measures what captures made to hurt cost.

- `scripts/fuzz.py --count 100000 --seed 7`: mutated captures; finds crashes, hangs, growth, and answers that change
  with the size of a read. Whatever it finds is made small and written to `--out`.
- `scripts/fuzz.py --adversarial`: the cost for each frame, and the memory, of captures made to hurt, beside those of
  the mixed benchmark capture.
- `scripts/fuzz.py --asan --count 20000`: a build of the kernels with AddressSanitizer (in `build/asan`; gcc) reads all
  captures, then hunts.
- `scripts/fuzz.py --replay FILE`: one input again, in this process.

`WIRE502_TRUTH` names a folder whose captures are mutated too.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the conversations of tests/wire.py

from scripts._fuzz.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
