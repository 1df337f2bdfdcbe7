"""Limits by `limits`: `rate.py fixed|moving memory|redis`."""

import os
import sys

import side
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

strategy, place = sys.argv[1:]
if place == "redis":
    storage = RedisStorage(os.environ["PEERS_REDIS_URL"], key_prefix=f"peers-{strategy}")
    many, step, item = 1_000, 1, RateLimitItemPerSecond(1_000_000, 100)
else:
    storage = MemoryStorage()
    many, step, item = 100_000, 7_919, RateLimitItemPerSecond(1_000)
limiter = {"fixed": FixedWindowRateLimiter, "moving": MovingWindowRateLimiter}[strategy](storage)
keys = [f"user-{n}" for n in range(many)]
for key in keys:
    limiter.hit(item, key)
at = 0


def work(count):
    global at
    for _ in range(count):
        at = (at + step) % many
        if not limiter.hit(item, keys[at]):
            raise RuntimeError("it refused")


side.play(work)
