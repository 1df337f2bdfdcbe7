"""Argon2id by the C library: argon2-cffi calls it without doing more."""

from argon2.low_level import Type, hash_secret_raw

import side


def work(count):
    for _ in range(count):
        hash_secret_raw(
            b"271828",
            b"0123456789abcdef",
            time_cost=2,
            memory_cost=19_456,
            parallelism=1,
            hash_len=32,
            type=Type.ID,
        )


side.play(work)
