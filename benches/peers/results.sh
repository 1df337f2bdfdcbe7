#!/usr/bin/env bash
# Puts the rows of all rooms into one page.
set -euo pipefail
rows() { local room; for room in "$@"; do cat "$PEERS_FOLDER/$room.md"; done; }

cat <<END
# Measured beside others

Written by \`benches/peers/run.sh\`; not by hand. \`benches/peers/README.md\` says how it is measured.

$(rows machine)

## The same work, one time of it

Each side is a process. Sides take turns, nine rounds after a warm-up; a figure is the middle round
and, in brackets, the quartiles. The ratio is our time to theirs: below one, otp-kit is faster. Where
it is slower the last column says why.

| the same work | otp-kit | beside | theirs | ratio | where we lose |
|---|---|---|---|---|---|
$(rows hashing limits redis totp phones sign-in)

Whole sign-ins end in a session on each side. otp-kit also counts limits by address, account and
destination, a budget of guesses that no new code refills, seals the address and records each
decision; better-auth stores the code as a bare SHA-256, django-allauth as it is, and their limits are
off. No message leaves any of them. \`torii\` and better-auth look up and store the user as well, which
is the host's part here.

## How an issue and a verify grow

| with | each (quartiles) | a second | half of them within | 95 % within | note |
|---|---|---|---|---|---|
$(rows growth)

"Each" is the time of the whole crowd for one sign-in; "within" is what one caller waits.

## Allocations

| call | allocations | bytes |
|---|---|---|
$(rows allocations)

## Weight of a build

$(rows weight)
END
