#!/usr/bin/env bash
# Builds and passes every test. `./test.sh --long` adds bigger storms, longer years and fuzzing.
#
# SQLite is built in. A private Redis, Redis Cluster, PostgreSQL and MariaDB are started on free
# ports and stopped at the end, also on Ctrl-C. Where TEST_REDIS_URL, TEST_REDIS_CLUSTER_URLS,
# TEST_POSTGRES_URL or TEST_MYSQL_URL names one, that is used instead. The operators' page is led
# through by a Chromium, which TEST_BROWSER may name, and the alert rules are evaluated by promtool,
# which PROMTOOL may name. What is missing is installed (Debian, as root), or named; its tests then
# show as ignored, which fails in CI.
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

# Only the servers' folder is theirs: PostgreSQL refuses to run as root, and so nothing here does.
folder=$(mktemp -d)
chmod 755 "$folder"
mkdir "$folder"/{redis,cluster,postgres,mysql,sockets}
as=(env -i PATH="$PATH" HOME="$folder" LC_ALL=C TZ=UTC)
if [ "$(id -u)" = 0 ]; then
  chown -R nobody "$folder"/*
  as=(setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "${as[@]}")
fi
postgres_bin() {
  local found
  found=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1)
  [ -n "$found" ] || ! command -v initdb >/dev/null || found=$(dirname "$(command -v initdb)")
  [ -z "$found" ] || [ ! -x "$found/initdb" ] || echo "$found"
}

# Prints where a browser is, or nothing.
browser() {
  local name
  for name in ${TEST_BROWSER:-} chromium chromium-browser google-chrome; do
    command -v "$name" && return
  done
  return 0
}
PROMTOOL=${PROMTOOL:-promtool}
export PROMTOOL

pids=()
stop() {
  trap - EXIT INT TERM
  local file
  for file in "$folder"/postgres/data/postmaster.pid "$folder"/mysql/pid; do
    [ ! -s "$file" ] || kill -QUIT "$(head -1 "$file")" 2>/dev/null || true
  done
  [ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap stop EXIT
trap 'stop; exit 130' INT TERM

missing=()
for need in "redis-server redis-server" "mariadbd mariadb-server"; do
  read -r program package <<<"$need"
  command -v "$program" >/dev/null || missing+=("$package")
done
[ -n "$(postgres_bin)" ] || missing+=(postgresql)
[ -n "$(browser)" ] || missing+=(chromium)
command -v "$PROMTOOL" >/dev/null || missing+=(prometheus)
if [ ${#missing[@]} != 0 ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  say "installing ${missing[*]}"
  # The packages would start servers of their own on the usual ports; these are ours alone.
  policy=/usr/sbin/policy-rc.d own=
  [ -e "$policy" ] || { own=1; printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod +x "$policy"; }
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } \
    >"$folder/apt.log" 2>&1 || tail -3 "$folder/apt.log" >&2
  [ -z "$own" ] || rm -f "$policy"
fi

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}
# ready PROGRAM...: waits until it succeeds, thirty seconds at the most.
ready() {
  for _ in $(seq 300); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.1
  done
  return 1
}
refused() { # refused NAME LOG
  echo "test.sh: $1 does not start:" >&2
  tail -5 "$2" >&2 || true
  exit 1
}

start_redis() {
  local port=$1 place=$2
  shift 2
  mkdir -p "$place"
  [ "$(id -u)" != 0 ] || chown nobody "$place"
  "${as[@]}" redis-server --bind 127.0.0.1 --port "$port" --dir "$place" --save '' --appendonly no "$@" \
    >"$place/log" 2>&1 </dev/null &
  pids+=($!)
  ready redis-cli -p "$port" ping || refused "redis-server" "$place/log"
}
start_cluster() {
  local ports=() nodes=() port
  for _ in 1 2 3; do
    port=$(free_port)
    start_redis "$port" "$folder/cluster/$port" --cluster-enabled yes --cluster-port "$(free_port)" \
      --cluster-config-file nodes.conf --cluster-node-timeout 2000 --repl-diskless-sync-delay 0
    ports+=("$port"); nodes+=("127.0.0.1:$port")
  done
  redis-cli --cluster create "${nodes[@]}" --cluster-yes >"$folder/cluster/log" 2>&1 \
    || refused "the Redis Cluster" "$folder/cluster/log"
  for port in "${ports[@]}"; do
    ready sh -c "redis-cli -p $port cluster info | grep -q cluster_state:ok" \
      || refused "the Redis Cluster" "$folder/cluster/log"
  done
  TEST_REDIS_CLUSTER_URLS=$(printf 'redis://%s,' "${nodes[@]}")
  export TEST_REDIS_CLUSTER_URLS=${TEST_REDIS_CLUSTER_URLS%,}
}
start_postgres() {
  local bin port home=$folder/postgres
  bin=$(postgres_bin) port=$(free_port)
  "${as[@]}" "$bin/initdb" -D "$home/data" -U postgres -A trust -E UTF8 --locale=C --no-sync \
    >"$home/initdb.log" 2>&1 || refused initdb "$home/initdb.log"
  "${as[@]}" "$bin/pg_ctl" -s -w -D "$home/data" -l "$home/log" -o "-c listen_addresses=127.0.0.1 -p $port \
    -k $folder/sockets -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
    -c max_connections=300 -c shared_preload_libraries=pg_stat_statements" start \
    || refused PostgreSQL "$home/log"
  export TEST_POSTGRES_URL=postgres://postgres@127.0.0.1:$port/postgres
}
start_mysql() {
  local port home=$folder/mysql
  port=$(free_port)
  "${as[@]}" mariadb-install-db --no-defaults --datadir="$home/data" --skip-test-db --skip-name-resolve \
    --auth-root-authentication-method=normal >"$home/install.log" 2>&1 \
    || refused mariadb-install-db "$home/install.log"
  "${as[@]}" mariadbd --no-defaults --datadir="$home/data" --bind-address=127.0.0.1 --port="$port" \
    --socket="$folder/sockets/mysql" --pid-file="$home/pid" --skip-name-resolve \
    --character-set-server=utf8mb4 --collation-server=utf8mb4_unicode_ci --max-connections=300 \
    --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --innodb-buffer-pool-size=64M \
    --innodb-log-file-size=16M >"$home/log" 2>&1 </dev/null &
  pids+=($!)
  ready mariadb-admin --no-defaults -h 127.0.0.1 -P "$port" -uroot ping || refused MariaDB "$home/log"
  mariadb --no-defaults -h 127.0.0.1 -P "$port" -uroot -e 'create database otp'
  export TEST_MYSQL_URL=mysql://root@127.0.0.1:$port/otp
}

absent=()
say "private servers"
if command -v redis-server >/dev/null; then
  if [ -z "${TEST_REDIS_URL:-}" ]; then
    port=$(free_port)
    start_redis "$port" "$folder/redis"
    export TEST_REDIS_URL=redis://127.0.0.1:$port
  fi
  [ -n "${TEST_REDIS_CLUSTER_URLS:-}" ] || start_cluster
elif [ -z "${TEST_REDIS_URL:-}" ]; then
  absent+=("Redis (apt-get install redis-server)")
fi
if [ -n "$(postgres_bin)" ]; then
  [ -n "${TEST_POSTGRES_URL:-}" ] || start_postgres
elif [ -z "${TEST_POSTGRES_URL:-}" ]; then
  absent+=("PostgreSQL (apt-get install postgresql)")
fi
if command -v mariadbd >/dev/null; then
  [ -n "${TEST_MYSQL_URL:-}" ] || start_mysql
elif [ -z "${TEST_MYSQL_URL:-}" ]; then
  absent+=("MariaDB (apt-get install mariadb-server)")
fi

servers=${#absent[@]} # that are absent; of tools, other tests depend
TEST_BROWSER=$(browser)
export TEST_BROWSER
[ -n "$TEST_BROWSER" ] || absent+=("a browser (apt-get install chromium)")
command -v "$PROMTOOL" >/dev/null || absent+=("promtool (apt-get install prometheus)")

say "examples, which some tests run"
cargo build --workspace --examples

if cargo nextest --version >/dev/null 2>&1; then
  say "tests (nextest)"
  cargo nextest run --workspace --all-targets --all-features --no-fail-fast -E 'not kind(bench)'
else
  say "tests"
  cargo test --workspace --all-features --lib --bins --tests --examples --no-fail-fast
fi

# Of the tests that need a server, those whose server is there.
served() { # served VARIABLE CARGO-ARGUMENT...
  local name=$1
  shift
  [ -n "${!name:-}" ] || return 0
  say "tests that need $name: $*"
  cargo test --all-features "$@" -- --include-ignored
}
served TEST_REDIS_URL -p otp-store --test redis
served TEST_REDIS_URL -p otp-store --test composite
served TEST_POSTGRES_URL -p otp-store --test postgres
served TEST_MYSQL_URL -p otp-store --test mysql
if [ -n "$TEST_BROWSER" ]; then
  say "the operators' page in a browser"
  cargo test --test server -- --include-ignored page::
fi
if [ "$servers" = 0 ]; then
  say "the reference server on every engine"
  cargo test --test server -- --include-ignored engines
  say "the runbooks, section by section"
  cargo test --test runbooks -- --include-ignored --skip promtool
  say "servers killed, paused and cut off"
  cargo test --test faults -- --include-ignored --skip crash::service
fi
if command -v "$PROMTOOL" >/dev/null; then
  say "the alert rules against incidents on paper"
  cargo test --test runbooks -- --include-ignored promtool
fi
if [ ${#absent[@]} != 0 ]; then
  printf '\n!! MISSING, AND THEIR TESTS WERE IGNORED: %s\n' "${absent[@]}"
  [ -z "${CI:-}" ] || exit 1
fi

say "documentation examples"
cargo test --workspace --doc --all-features

for example in quickstart failover whatsapp_then_sms webhooks_axum magic_link_axum totp_enrolment step_up; do
  say "$example plays its story by itself"
  cargo run --quiet --example "$example" </dev/null
done

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
