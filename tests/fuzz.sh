#!/bin/bash
# Runs one fuzzer: bash tests/fuzz.sh NAME [SECONDS]
#
# NAME is that of tests/fuzz/NAME.c; seeds are taken from tests/fixtures/fuzz/NAME if it is there.
# What it finds interesting is kept in build/fuzz/corpus/NAME, a crash in build/fuzz/crashes.

root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
name=${1:?which fuzzer: $(cd "$root/tests/fuzz" && echo *.c)}
seconds=${2:-60}
corpus=$root/build/fuzz/corpus/$name
crashes=$root/build/fuzz/crashes
seeds=$root/tests/fixtures/fuzz/$name

mkdir -p "$corpus" "$crashes"
log=$root/build/logs/fuzz-$name.log
[[ -d $seeds ]] || seeds=
printf 'fuzz %s: ' "$name"
# shellcheck disable=SC2086 # seeds may be nothing
if "$root/build/fuzz/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=512 \
	-max_len=65536 -artifact_prefix="$crashes/$name-" -print_final_stats=1 \
	"$corpus" $seeds >"$log" 2>&1; then
	echo "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s, no crash"
else
	echo "CRASHED; the input is in $crashes:"
	tail -n 40 "$log"
	exit 1
fi
