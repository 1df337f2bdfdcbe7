#!/usr/bin/env bash
# Counts the crates of a build, and times the smallest useful one and the fullest from nothing;
# `weight.sh crates` only counts.
set -euo pipefail
cd "$(dirname "$0")"
root=$(realpath ../..)
counting=no
[ "${1:-}" != crates ] || counting=only
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
echo 'fn main() {}' >"$folder/src/main.rs"
cp "$root/Cargo.lock" "$folder/"

with() { # with FEATURES: a host that asks for them and for nothing else
  cat >"$folder/Cargo.toml" <<END
[package]
name = "host"
version = "0.0.0"
edition = "2024"

[dependencies]
otp-kit = { path = "$root", default-features = false, features = [$1] }
END
}
crates() { # crates FEATURES: how many are linked, without the host
  with "$1"
  (cd "$folder" && cargo tree --quiet -e normal --prefix none) | awk 'NR > 1 && NF { print $1, $2 }' | sort -u | wc -l
}
seconds() { # seconds FEATURES: of a release build into an empty folder
  [ "$counting" = no ] || { echo "not timed"; return; }
  with "$1"
  local started; started=$(date +%s%N)
  (cd "$folder" && CARGO_TARGET_DIR=$folder/target nice -n 10 cargo build --release --quiet)
  rm -rf "$folder/target"
  awk -v from="$started" -v to="$(date +%s%N)" 'BEGIN { printf "%.0f", (to - from) / 1e9 }'
}

features=$(cd "$root" && cargo metadata --no-deps --format-version 1 | python3 -c '
import json, sys
for package in json.load(sys.stdin)["packages"]:
    if package["name"] == "otp-kit":
        names = set(package["features"]) - {"default", "testing", "danger-preview"}
        print(*sorted(name for name in names if not name.startswith("_")))')
all=$(printf '"%s", ' $features)
small='"memory", "twilio"'
base=$(crates "$small")

echo "Measured on $(date -u +%F) with $(nproc) cores. Crates are those of \`cargo tree -e normal\`, macros and what they stand on included; seconds are of \`cargo build --release\` from nothing."
echo
echo '| build | crates | seconds |'
echo '|---|---|---|'
echo "| smallest useful: \`memory\`, \`twilio\`, no default features | $base | $(seconds "$small") |"
echo "| fullest: every feature of the library | $(crates "$all") | $(seconds "$all") |"
echo
echo '| feature | crates that it adds to the smallest |'
echo '|---|---|'
for feature in $features; do
  more=$(($(crates "$small, \"$feature\"") - base))
  [ "$more" = 0 ] || echo "| \`$feature\` | $more |"
done
echo
echo 'The features that are not named add none.'
