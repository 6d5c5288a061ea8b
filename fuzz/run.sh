#!/usr/bin/env bash
# Builds the libFuzzer targets and runs each for a while. What they find grows the corpus of the next run.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh

usage() {
  cat <<'TEXT'
usage: fuzz/run.sh [--merge] [SECONDS] [TARGET...]

Builds every fuzz/*_fuzz.cpp (clang, address and undefined-behaviour sanitizers) and runs each, or the named ones, for
SECONDS (60). Starts from the inputs in fuzz/corpus/NAME and from those that earlier runs kept in build/fuzz/corpus/NAME,
and keeps there what adds coverage. A crash ends with 1 and leaves the input in build/fuzz/crashes.
  --merge   add to fuzz/corpus what adds coverage there, for a commit

examples:
  fuzz/run.sh
  fuzz/run.sh 600 trace_csv phases
TEXT
}

merge=
seconds=60
names=()
for argument in "$@"; do
  case "$argument" in
    -h | --help) usage; exit 0 ;;
    --merge) merge=yes ;;
    -*) usage_error "unknown flag $argument" ;;
    *[!0-9]*) names+=("${argument%_fuzz}") ;;
    *) seconds=$argument ;;
  esac
done
if [ "${#names[@]}" -eq 0 ]; then
  for source in fuzz/*_fuzz.cpp; do names+=("$(basename "$source" _fuzz.cpp)"); done
fi
for name in "${names[@]}"; do
  [ -e "fuzz/${name}_fuzz.cpp" ] || usage_error "no target $name"
done
command -v clang++-19 >/dev/null || usage_error "clang++-19 is missing: scripts/install-packages fuzz"

scripts/build fuzz fuzzers

# run_one NAME: into its log; the exit code of the fuzzer.
run_one() {
  local name=$1 program=build/fuzz/fuzz/${1}_fuzz kept=build/fuzz/corpus/$1 seeds=fuzz/corpus/$1
  mkdir -p "$kept" "$seeds" build/fuzz/crashes
  "$program" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/crashes/$name-" "$kept" "$seeds" || return
  # Of what was kept, only what adds something to the seeds.
  rm -rf "$kept.merged"
  mkdir "$kept.merged"
  "$program" -merge=1 -rss_limit_mb=2048 "$kept.merged" "$seeds" "$kept" || return
  rm -rf "$kept"
  mv "$kept.merged" "$kept"
  [ -z "$merge" ] || "$program" -merge=1 -rss_limit_mb=2048 "$seeds" "$kept"
}

failed=0
running=()
# finish_one NAME PROCESS: waits for it and says how it went.
finish_one() {
  local log=build/fuzz/$1.log
  if wait "$2"; then
    printf '%-16s ok: %s runs, %s inputs kept\n' "$1" \
      "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | head -n 1)" "$(find "build/fuzz/corpus/$1" -type f | wc -l)"
    return
  fi
  failed=1
  printf '%-16s FAILED\n' "$1"
  grep -E 'ERROR|SUMMARY|internal error|runtime error|Test unit written' "$log" | sed 's/^/  /' || tail -n 5 "$log"
  echo "  again with: build/fuzz/fuzz/${1}_fuzz FILE; the log is $log"
}
for name in "${names[@]}"; do
  run_one "$name" >"build/fuzz/$name.log" 2>&1 &
  running+=("$name $!")
  if [ "${#running[@]}" -ge "$cores" ]; then
    # shellcheck disable=SC2086  # two words
    finish_one ${running[0]}
    running=("${running[@]:1}")
  fi
done
for entry in "${running[@]}"; do
  # shellcheck disable=SC2086  # two words
  finish_one $entry
done
exit "$failed"
