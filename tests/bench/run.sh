#!/bin/sh
# Measures hubmail beside a reference in the same run:
#
#   sh tests/bench/run.sh [--quick] [--sizes KB,…] [--sessions N,…] [--runs N] [--messages N]
#
# Prints a table; the numbers behind it go to build/bench/throughput.json.

root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
# shellcheck source=tests/packages.sh
. "$root/tests/packages.sh"
# shellcheck source=tests/build.sh
. "$root/tests/build.sh"
# shellcheck source=tests/bench/references.sh
. "$root/tests/bench/references.sh"

need_packages build bench || exit 1
build_preset release hubmaild hubmailctl hubmail-sink || exit 1
need_postfix_tools || exit 1
LD_LIBRARY_PATH=$postfix_libraries exec /usr/bin/python3 -B "$root/tests/bench/throughput.py" \
	--build "$root/build/release" --postfix "$postfix_tools" --out "$root/build/bench" "$@"
