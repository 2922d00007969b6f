#!/usr/bin/env bash
# Feeds the fuzz tests (src/fuzz of the modules) what Jazzer makes up, guided by coverage: one process for each, in turn.
# How to write one, and what to do with a finding: CONTRIBUTING.md.
set -u
export LC_ALL=C

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fuzz_tests() { (cd "$checkout" && find . -path '*/src/fuzz/java/*Fuzz.java' | sed 's|^\./||' | sort); }
fuzz_names() { fuzz_tests | sed 's|.*/||; s|\.java$||'; }

usage() {
  cat <<TEXT
Usage: scripts/fuzz.sh [options]
Runs each fuzz test on its seeds, then on what the fuzzer makes of them.

  --seconds S        how long for each test (3)
  --tests LIST       which (all), separated by commas
                     known: $(fuzz_names | paste -sd ' ')
  --no-set-up        do not compile
What the fuzzer has learnt is kept in .cache/fuzz and used by the next run. An input that fails is written to
.cache/fuzz/findings.
Exit code: 0 nothing failed, 1 something did, 2 wrong usage.
TEXT
}

say() { printf '%s\n' "$*" >&2; }
die() { say "fuzz: $*"; exit 1; }
wrong() { say "fuzz: $* (see --help)"; exit 2; }

seconds=3
tests=$(fuzz_names | paste -sd,)
set_up=yes
while [ $# -gt 0 ]; do
  case $1 in
    --seconds | --tests) [ $# -ge 2 ] || wrong "$1 wants a value" ;;&
    --seconds) seconds=$2; shift ;;
    --tests) tests=$2; shift ;;
    --no-set-up) set_up=no ;;
    -h | --help) usage; exit 0 ;;
    *) wrong "unknown option '$1'" ;;
  esac
  shift
done
[[ $seconds =~ ^[0-9]{1,6}$ ]] && [ "$seconds" -ge 1 ] || wrong "--seconds '$seconds': want a whole number from 1 to 999999"
for name in ${tests//,/ }; do
  fuzz_names | grep -qxF -- "$name" || wrong "--tests '$name': there is no such fuzz test"
done

modules=$(fuzz_tests | sed 's|/src/fuzz/.*||' | sort -u | paste -sd,)
if [ $set_up = yes ]; then
  (cd "$checkout" && mvn -B -ntp -q -Pfuzz -pl "$modules" -am test-compile -Djacoco.skip=true) || die "does not compile"
  # Modules as they lie in target/classes, and from the repository what they need.
  for module in ${modules//,/ }; do
    (cd "$checkout" && mvn -B -ntp -q -Pfuzz -pl "$module" -am test-compile dependency:build-classpath -Djacoco.skip=true \
      -Dmdep.outputFile="target/fuzz-classpath") || die "cannot find out what $module needs"
  done
fi

java=${JAVA_HOME:+$JAVA_HOME/bin/}java
failed=0
run=0
learnt=$checkout/.cache/fuzz
mkdir -p "$learnt/findings" || die "cannot write to $learnt"
while read -r source; do
  module=${source%%/*}
  class=${source#*/src/fuzz/java/}
  class=${class%.java}
  name=${class##*/}
  [[ ",$tests," == *",$name,"* ]] || continue
  method=$(grep -A 2 '@FuzzTest' "$checkout/$source" | sed -n 's/^ *void \([A-Za-z0-9]*\)(.*/\1/p' | head -n 1)
  run=$((run + 1))
  mkdir -p "$learnt/$name"
  log=$learnt/$name.log
  (
    # Jazzer has assertions checked everywhere; tomlj has one that a comment right behind a header offends, and reads on rightly.
    cd "$learnt/findings" && exec "$java" -XX:+UseSerialGC -Xmx512m -Djnr.ffi.x86asm.enabled=false -da:org.tomlj... \
      -cp "$checkout/$module/target/test-classes:$checkout/$module/target/classes:$(cat "$checkout/$module/target/fuzz-classpath")" \
      com.code_intelligence.jazzer.Jazzer --target_class="${class//\//.}" --target_method="$method" \
      --instrumentation_includes='io.holdfast.**' --reproducer_path="$learnt/findings" \
      -artifact_prefix="$learnt/findings/$name-" -max_total_time="$seconds" -timeout=20 -max_len=16384 -print_final_stats=1 \
      "$learnt/$name"
  ) > "$log" 2>&1
  status=$?
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
  coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
  if [ $status -eq 0 ] && [ -n "$runs" ]; then
    printf '%s: %s inputs, %s edges\n' "$name" "$runs" "${coverage:-?}"
  else
    failed=$((failed + 1))
    printf '%s: FAILED (status %s), see %s\n' "$name" "$status" "$log"
    grep -m 1 -A 12 '== Java Exception\|^ERROR:\|Exception in thread' "$log" >&2 || tail -n 12 "$log" >&2
  fi
done < <(fuzz_tests)
printf 'fuzz_tests=%s failed=%s seconds_each=%s\n' "$run" "$failed" "$seconds"
[ "$failed" -eq 0 ]
