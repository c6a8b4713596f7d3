#!/usr/bin/env python3
"""Make the sample captures in captures/, with the truth beside each.

    scripts/make_captures.py           write what is missing or different
    scripts/make_captures.py --check   write nothing; exit status 1 when something would be

The conversations are written in make_captures_*.py, frame by frame; nothing is random but the jitter of the clock,
whose seed is the name of the capture.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from scripts import make_captures_failures, make_captures_healthy, make_captures_rulings, make_captures_shapes  # noqa: E402
from scripts.make_captures_scene import SAMPLES, files  # noqa: E402

FOLDER = ROOT / "captures"
PARTS = (make_captures_failures, make_captures_healthy, make_captures_rulings, make_captures_shapes)


def differences() -> dict[Path, bytes | None]:
    """Return the files that are not as they should be, with their right contents, None for those that should go."""
    wanted = {FOLDER / name: octets for name, octets in files().items()}
    found: dict[Path, bytes | None] = {
        path: octets for path, octets in wanted.items() if not path.exists() or path.read_bytes() != octets
    }
    found.update({path: None for path in FOLDER.glob("*") if path not in wanted})
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    changes = differences()
    for path, octets in sorted(changes.items()):
        print(f"{'would change' if options.check else 'changed'}: {path.relative_to(ROOT)}")
        if options.check:
            continue
        if octets is None:
            path.unlink()
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(octets)
    print(f"{len(SAMPLES)} captures, {len(changes)} files different")
    return int(options.check and bool(changes))


if __name__ == "__main__":
    sys.exit(main())
