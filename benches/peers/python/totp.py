"""An authenticator's code, checked within a step of now by pyotp: `totp.py right|wrong`."""

import base64
import sys
from datetime import datetime, timezone
from itertools import count as numbers

import pyotp
import side

totp = pyotp.TOTP(base64.b32encode(b"12345678901234567890").decode())
now = datetime.now(timezone.utc)


def check(code):
    return totp.verify(code, for_time=now, valid_window=1)


right = sys.argv[1] == "right"
if right:
    code = totp.at(now)
else:
    code = next(code for code in map("{:06}".format, numbers()) if not check(code))
assert check(code) is right


def work(count):
    for _ in range(count):
        check(code)


side.play(work)
