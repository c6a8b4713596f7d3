"""The benchmark's parts: captures made from a seed, peers, measuring, verdicts, tables.

`wire` packs checksummed segments, `capture` writes them in the order of time, `talk` is one connection from its first
frame to its last, `failures` the planted ends, `peers` and `measure` run programs, `verdicts` compares what wire502
said with what was planted, `report` writes the tables, `cli` knows the order.

Of live captures: `cable` and `sending` replay, `watching` runs who captures, `told` reads what was said and when,
`crowds` makes floods, `online` knows the order.
"""
