#!/usr/bin/env bash
# Builds and passes every test. `./test.sh --long` adds bigger storms, longer years and fuzzing.
#
# SQLite is built in. A private Redis is started on a free port and stopped at the end, also on
# Ctrl-C; where TEST_REDIS_URL names one, that is used instead. Where redis-server is missing it is
# installed (Debian, as root), or named; its tests then show as ignored, which fails in CI.
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

folder=$(mktemp -d)
redis=
stop() {
  trap - EXIT INT TERM
  [ -z "$redis" ] || kill "$redis" 2>/dev/null || true
  rm -rf "$folder"
}
trap stop EXIT
trap 'stop; exit 130' INT TERM

install_redis() {
  command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || return 1
  # The package would start a server of its own on the usual port; this one is ours alone.
  local policy=/usr/sbin/policy-rc.d own=
  [ -e "$policy" ] || { own=1; printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod +x "$policy"; }
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends redis-server; } \
    >"$folder/apt.log" 2>&1 || tail -3 "$folder/apt.log" >&2
  [ -z "$own" ] || rm -f "$policy"
  command -v redis-server >/dev/null
}

start_redis() {
  local port try
  for try in 1 2 3 4 5; do
    port=$((20000 + (RANDOM % 20000)))
    redis-server --bind 127.0.0.1 --port "$port" --dir "$folder" --save '' --appendonly no \
      >"$folder/redis.log" 2>&1 </dev/null &
    redis=$!
    for _ in $(seq 100); do
      if redis-cli -p "$port" ping >/dev/null 2>&1; then
        export TEST_REDIS_URL="redis://127.0.0.1:$port"
        return 0
      fi
      kill -0 "$redis" 2>/dev/null || break
      sleep 0.1
    done
  done
  echo "test.sh: redis-server does not start:" >&2
  tail -3 "$folder/redis.log" >&2
  return 1
}

if [ -z "${TEST_REDIS_URL:-}" ]; then
  say "a private Redis"
  command -v redis-server >/dev/null || install_redis || true
  if command -v redis-server >/dev/null; then
    start_redis
  fi
fi

say "examples, which some tests run"
cargo build --workspace --examples

if cargo nextest --version >/dev/null 2>&1; then
  say "tests (nextest)"
  cargo nextest run --workspace --all-targets --all-features --no-fail-fast -E 'not kind(bench)'
else
  say "tests"
  cargo test --workspace --all-features --lib --bins --tests --examples --no-fail-fast
fi

if [ -n "${TEST_REDIS_URL:-}" ]; then
  say "tests that need a Redis"
  cargo test -p otp-store --all-features --test redis -- --include-ignored
else
  echo
  echo "!! NO REDIS: its tests were IGNORED. Install it (apt-get install redis-server) or set TEST_REDIS_URL."
  [ -z "${CI:-}" ] || exit 1
fi

say "documentation examples"
cargo test --workspace --doc --all-features

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
