# Starts a Redis of our own on a free port, in memory only. Sourced by run.sh.

if command -v redis-server >/dev/null; then
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no >/dev/null &
  server=$!
  trap 'kill "$server" 2>/dev/null' EXIT
  trap 'exit 130' INT TERM
  export PEERS_REDIS_URL=redis://127.0.0.1:$port
  for _ in $(seq 50); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    sleep 0.1
  done
else
  say "redis-server is missing: what needs it is left out"
fi
