#!/usr/bin/env bash
# Every script answers --help with how to use it, and a wrong command line with exit code 2, before it does anything.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
failures=0

# expect CODE TEXT COMMAND...: the command ends with CODE and its output has TEXT.
expect() {
  local code=$1 text=$2 output actual
  shift 2
  output=$("$@" 2>&1 </dev/null)
  actual=$?
  if [ "$actual" -ne "$code" ] || [[ $output != *"$text"* ]]; then
    printf '%s\n  ended with %d, wanted %d and "%s"; it said:\n%s\n' "$*" "$actual" "$code" "$text" "$output"
    failures=$((failures + 1))
  fi
}

for script in build test demo bench fault-matrix check coverage install-packages bare-root-proof; do
  expect 0 "usage: scripts/$script" "scripts/$script" --help
  expect 2 "--no-such-flag" "scripts/$script" --no-such-flag
done
expect 2 "there is no commit nope" scripts/check --since nope
expect 0 "usage: lab-scenarios" scripts/lab-scenarios --help
expect 2 "--out" scripts/lab-scenarios
expect 0 "usage: image" scripts/image --help
expect 2 "--tag wants a name" scripts/image --tag untagged
expect 2 "there is no" scripts/image --bin /nowhere
expect 0 "usage: leave-out" scripts/leave-out --help
expect 2 "--out" scripts/leave-out
expect 2 "at least two traces" scripts/leave-out one.csv --out out
expect 2 "has no build preset 'nope'; it has: dev release" scripts/build nope
expect 2 "has no section 'nope'; it has: build test" scripts/install-packages nope
expect 2 "--out wants a directory" scripts/demo --out
expect 2 "--preset wants a name" scripts/test --preset
! command -v make >/dev/null || expect 0 "make demo" make help

# As on a system without sudo and without rights: it says what to type, and installs nothing.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for tool in bash dirname sed awk grep sort cat mktemp rm paste env; do ln -s "$(command -v "$tool")" "$folder/$tool"; done
printf '#!/bin/sh\nexit 1\n' >"$folder/dpkg-query"
printf '#!/bin/sh\necho 1000\n' >"$folder/id"
printf '#!/bin/sh\ntouch %s/called\n' "$folder" >"$folder/apt-get"
chmod +x "$folder"/{dpkg-query,id,apt-get}
expect 2 "as root: apt-get install --no-install-recommends" env PATH="$folder" scripts/install-packages build
[ ! -e "$folder/called" ] || { echo "install-packages called apt-get without rights"; failures=$((failures + 1)); }
rm "$folder/apt-get"
expect 0 "no apt-get on this system; what is needed, by its Debian name: ccache cmake" env PATH="$folder" scripts/install-packages build

[ "$failures" -eq 0 ]
