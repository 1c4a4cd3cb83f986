#!/bin/sh
# Builds one of the presets of CMakePresets.json.
#
#   sh tests/build.sh PRESET    configures and builds into build/PRESET
#
# or, from another script, with $root set:  . "$root/tests/build.sh"; build_preset release

# build_preset PRESET [TARGET…]: says what it does, and shows the compiler's words only if it fails.
build_preset() {
	preset=$1
	shift
	log=$root/build/logs/build-$preset.log
	mkdir -p "$root/build/logs"
	printf 'Building %s ... ' "$preset"
	began=$(date +%s)
	if (
		cd "$root" || exit 1
		export CMAKE_COLOR_DIAGNOSTICS=OFF
		cmake --preset "$preset" &&
			cmake --build "build/$preset" -j "$(nproc)" ${1:+--target "$@"}
	) >"$log" 2>&1; then
		echo "done in $(($(date +%s) - began)) s (build/$preset)"
	else
		echo "failed:"
		tail -n 60 "$log"
		return 1
	fi
}

case ${0##*/} in
build.sh)
	root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
	build_preset "${1:?which preset: dev, tsan, release or fuzz}"
	;;
esac
