#!/usr/bin/env bash
# Measures otp-kit beside what else one could pick.
#
#   ./run.sh               everything, and writes ../RESULTS.md (8 minutes; the first time it
#                          also fetches and builds the peers)
#   ./run.sh totp phones   these rooms alone, on the terminal
#   ./run.sh weight        crates and seconds of a build (10 minutes); whole runs show it from then on
#
# Rooms: hashing limits redis totp phones sign-in growth allocations weight.
# Needs cargo, python3 with venv, node with npm, a C++ compiler, redis-server; a peer whose tools
# are missing is left out, and said. Everything private is in `target/peers` of the repository.
set -euo pipefail
cd "$(dirname "$0")"

rooms=(hashing limits redis totp phones sign-in growth allocations)
for room in "$@"; do
  case " ${rooms[*]} weight " in
    *" $room "*) ;;
    *) echo "no room is called $room; there are: ${rooms[*]} weight" >&2; exit 2 ;;
  esac
done

export PEERS_FOLDER; PEERS_FOLDER=$(realpath -m ../../target/peers)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PEERS_FOLDER/cargo}
export PYTHONDONTWRITEBYTECODE=1
mkdir -p "$PEERS_FOLDER"
say() { echo "== $1" >&2; }

if [ "$*" = weight ]; then
  ./weight.sh | tee "$PEERS_FOLDER/weight.md"
  exit
fi

. ./prepare.sh
. ./redis.sh

measure() { # measure ROOM: prints its rows
  say "$1"
  case $1 in
    growth) "$peers" growth ;;
    allocations) "$(dirname "$peers")/allocations" ;;
    *) "$peers" compare "$1" ;;
  esac
}

if [ $# -gt 0 ]; then
  for room in "$@"; do measure "$room"; done
  exit
fi
./machine.sh >"$PEERS_FOLDER/machine.md"
for room in "${rooms[@]}"; do
  # One room that fails, of a machine under load, is seen in the page and costs no other.
  measure "$room" >"$PEERS_FOLDER/$room.md" || say "$room ended early"
done
[ -s "$PEERS_FOLDER/weight.md" ] || ./weight.sh crates >"$PEERS_FOLDER/weight.md"
./results.sh >"$PEERS_FOLDER/RESULTS.md"
cp "$PEERS_FOLDER/RESULTS.md" ../RESULTS.md
say "written: benches/RESULTS.md"
