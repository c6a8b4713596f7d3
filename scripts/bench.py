#!/usr/bin/env python3
"""How fast wire502 is beside the programs that people use today, and whether its verdicts are right at that speed.

- `scripts/bench.py --quick`: a minute, short captures
- `scripts/bench.py --markdown OUT.md --json OUT.json`: the whole table of docs/performance.md
- `scripts/bench.py make --profile mixed --seed 1 --out mixed.pcap --truth mixed.json`: one capture and its truth
- `scripts/bench.py instructions [--record]`: instructions of short runs beside those recorded, and renew the record
- `scripts/bench.py live`: `wire502 live` beside `tcpdump -w` on a cable between two network namespaces; needs root
"""

from _bench.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
