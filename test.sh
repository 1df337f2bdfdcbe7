#!/usr/bin/env bash
# Builds and passes every test. `./test.sh --long` adds bigger storms, a simulated year and fuzzing.
#
# Nothing but Rust and a C compiler is needed: SQLite is built in, and every server that a test
# talks to is started by the test itself on a free loopback port.
set -euo pipefail
cd "$(dirname "$0")"

long=0
case "${1:-}" in
  '') ;;
  --long) long=1 ;;
  *) echo "usage: ./test.sh [--long]" >&2; exit 2 ;;
esac

say() { printf '\n== %s\n' "$1"; }
command -v cargo >/dev/null || { echo "test.sh: cargo is not installed: see https://rustup.rs" >&2; exit 1; }
command -v cc >/dev/null || { echo "test.sh: a C compiler is missing: apt-get install gcc libc6-dev" >&2; exit 1; }

say "examples, which some tests run"
cargo build --workspace --examples

if cargo nextest --version >/dev/null 2>&1; then
  say "tests (nextest)"
  cargo nextest run --workspace --all-targets --all-features --no-fail-fast -E 'not kind(bench)'
  say "documentation examples"
  cargo test --workspace --doc --all-features
else
  say "tests"
  cargo test --workspace --all-features --lib --bins --tests --examples --no-fail-fast
  say "documentation examples"
  cargo test --workspace --doc --all-features
fi

say "the quickstart plays its story by itself"
cargo run --quiet --example quickstart </dev/null

if [ "$long" = 1 ]; then
  say "bigger storms and longer years"
  OTP_STORM=10000 OTP_YEARS=5 cargo test --release --test attacks
  seconds=${FUZZ_SECONDS:-60}
  if cargo fuzz --version >/dev/null 2>&1; then
    for target in $(cd fuzz && cargo fuzz list); do
      say "fuzz $target for $seconds seconds"
      cargo fuzz run -s none "$target" -- -max_total_time="$seconds"
    done
  else
    echo "cargo-fuzz is not installed: fuzzing was left out (cargo install cargo-fuzz)"
  fi
fi
say "all passed"
