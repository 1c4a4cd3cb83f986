#!/bin/sh
# Runs every test: installs what is missing, builds, then unit tests under the address, undefined
# behaviour and thread sanitizers, and the end-to-end tests.
#
#   sh tests/run.sh                 everything
#   sh tests/run.sh -k unsubscribe  further words go to pytest; then only the end-to-end tests run

root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
# shellcheck source=tests/packages.sh
. "$root/tests/packages.sh"
# shellcheck source=tests/build.sh
. "$root/tests/build.sh"
# shellcheck source=tests/mounts.sh
. "$root/tests/mounts.sh"
# shellcheck source=tests/steps.sh
. "$root/tests/steps.sh"

cores=$(nproc)

ctest_of() {
	ctest --test-dir "$root/build/$1" --output-on-failure --no-tests=error -j "$cores" \
		--timeout 180 2>&1
}

unit_tests() {
	ctest_of dev
}

# A library that was not built for the thread sanitizer is not ours to judge: tsan.supp.
thread_tests() {
	TSAN_OPTIONS="suppressions=$root/tests/tsan.supp halt_on_error=1" ctest_of tsan
}

end_to_end_tests() {
	HUBMAIL_BUILD=$root/build/dev HUBMAIL_RELEASE=$root/build/release PYTHONDONTWRITEBYTECODE=1 \
		/usr/bin/python3 -m pytest "$root/tests/e2e" -c "$root/tests/e2e/pytest.ini" \
		-n "$cores" "$@" 2>&1
}

echo "Packages"
need_packages build test || exit 1
echo "All there."
need_mounts || {
	echo "The sanitizers cannot work without /proc: mount it, then start this again." >&2
	exit 1
}
for preset in dev tsan release; do
	[ $# = 0 ] || [ $preset != tsan ] || continue
	build_preset $preset || exit 1
done

if [ $# = 0 ]; then
	step "unit tests (address and undefined behaviour sanitizers)" unit_tests
	step "unit tests (thread sanitizer)" thread_tests
fi
step "end-to-end tests" end_to_end_tests "$@"
finish_steps
