# Fetches and builds what is compared, unless it is there. Sourced by run.sh.

stale() { ! cmp -s "$1" "$2"; } # stale LIST STAMP: what is installed is not what the list says

if command -v python3 >/dev/null; then
  if stale python/requirements.txt "$PEERS_FOLDER/venv/installed"; then
    say "Python packages"
    python3 -m venv "$PEERS_FOLDER/venv"
    "$PEERS_FOLDER/venv/bin/pip" install --quiet --disable-pip-version-check -r python/requirements.txt
    cp python/requirements.txt "$PEERS_FOLDER/venv/installed"
  fi
  mkdir -p "$PEERS_FOLDER/python"
  cp python/*.py "$PEERS_FOLDER/python/"
fi

if command -v npm >/dev/null; then
  mkdir -p "$PEERS_FOLDER/node"
  cp node/*.mjs node/package.json "$PEERS_FOLDER/node/"
  if stale node/package.json "$PEERS_FOLDER/node/installed"; then
    say "Node packages (one of them is compiled)"
    (cd "$PEERS_FOLDER/node" && nice -n 10 npm install --silent --no-package-lock --no-audit --no-fund)
    cp node/package.json "$PEERS_FOLDER/node/installed"
  fi
fi

say "Rust peers"
nice -n 10 cargo build --release --quiet --locked
nice -n 10 cargo build --release --quiet --locked --manifest-path apart/Cargo.toml
peers=$CARGO_TARGET_DIR/release/peers
