#!/usr/bin/env bash
# Tells what the figures are of: the machine, and the versions of everything.
cd "$(dirname "$0")"

of() { awk -v name="$1" '$0 == "name = \"" name "\"" { getline; gsub(/version = |"/, ""); list = list " " $0 } END { print name list }' "$2"; }
crates() { local lock=$1 name; shift; for name in "$@"; do printf '%s, ' "$(of "$name" "$lock")"; done; }
first() { "$@" 2>/dev/null | head -1; }

model=$(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)
memory=$(awk '/^MemTotal/ { printf "%.0f GB", $2 / 1e6 }' /proc/meminfo)
rust=$(crates Cargo.lock argon2 bcrypt governor tower_governor totp-rs phonenumber rlibphonenumber redis sqlx)
apart=$(crates apart/Cargo.lock torii)
python=$(sed 's/==/ /' python/requirements.txt | paste -sd, | sed 's/,/, /g')
node=$(awk -F'"' '/dependencies/ { on = 1; next } on && NF > 4 { list = list ", " $2 " " $4 } END { print substr(list, 3) }' node/package.json)

cat <<END
- Machine: $(nproc) cores, ${model:-unknown}, $memory; Linux $(uname -r); load $(cut -d' ' -f1 /proc/loadavg) at the start.
- Date: $(date -u +%F). otp-kit at $(git rev-parse --short HEAD 2>/dev/null || echo "an unknown commit").
- $(first rustc --version), release profile; $(first python3 --version); node $(first node --version); $(first redis-server --version | grep -o 'v=[^ ]*' | sed 's/v=/Redis /').
- Crates: $rust${apart%, }.
- Python: $python.
- Node: $node.
- Command: \`benches/peers/run.sh\`.
END
