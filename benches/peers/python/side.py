"""One side of a comparison: a process that does so much work whenever it is told to.

The same as `src/side.rs`: it warms up, finds out how much fills a round, and answers each line.
"""

import json
import sys
from time import perf_counter_ns

WARM_UP = 400_000_000
ROUND = 200_000_000


def play(work):
    """Plays until nobody asks any more; `work(count)` does a thing so many times."""

    def timed(count):
        started = perf_counter_ns()
        work(count)
        return perf_counter_ns() - started

    started, count, took = perf_counter_ns(), 1, 0
    warm = False
    while not warm or took < ROUND / 8:
        warm = perf_counter_ns() - started >= WARM_UP
        took = timed(count)
        if took < ROUND / 8:
            count *= 2
    size = max(1, count * ROUND // max(took, 1))
    say(round=size)
    for _ in sys.stdin:
        say(count=size, nanos=timed(size))


def say(**line):
    print(json.dumps(line), flush=True)
