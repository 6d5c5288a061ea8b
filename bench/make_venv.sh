#!/usr/bin/env bash
# The Python environment of the peers: bench/make_venv.sh [FOLDER], build/bench-venv unless given.
set -euo pipefail
cd "$(dirname "$0")/.."
folder="${1:-build/bench-venv}"
[ -x "$folder/bin/python" ] || python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --requirement bench/requirements.txt
echo "$folder/bin/python"
