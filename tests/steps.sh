#!/bin/sh
# For run.sh and .ci/run, with $root set: steps that are shown, timed, logged in build/logs, and
# summed up at the end.

step_logs=${root:?}/build/logs
step_count=0
steps_failed=0
step_summary=
mkdir -p "$step_logs"

# step NAME COMMAND…
step() {
	step_name=$1
	shift
	step_count=$((step_count + 1))
	step_log=$step_logs/step-$step_count.log
	printf '\n==> %s\n' "$step_name"
	step_began=$(date +%s)
	# The exit code goes by a file: a pipeline has only its last command's.
	{
		"$@" 2>&1
		echo $? >"$step_log.code"
	} | tee "$step_log"
	step_verdict=ok
	if [ "$(cat "$step_log.code")" != 0 ]; then
		step_verdict=FAILED
		steps_failed=$((steps_failed + 1))
	fi
	step_summary="$step_summary$(printf '%-7s %5s s  %s' "$step_verdict" \
		$(($(date +%s) - step_began)) "$step_name")
"
}

# The lines with which ctest and pytest close, of every step that had some.
closing_lines() {
	grep -hE '^[0-9]+% tests passed|^=+ .*(passed|failed|error).* in .*=+$' \
		"$step_logs"/step-*.log 2>/dev/null
}

# Prints the summary and ends the script.
finish_steps() {
	printf '\n==> Summary\n%s' "$step_summary"
	if [ "$steps_failed" = 0 ]; then
		echo "Everything passed."
	else
		echo "$steps_failed FAILED; what each step said is in $root/build/logs."
	fi
	closing_lines
	[ "$steps_failed" = 0 ]
	exit
}

rm -f "$step_logs"/step-*
