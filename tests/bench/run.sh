#!/bin/sh
# Measures hubmail beside references in the same run:
#
#   sh tests/bench/run.sh [throughput|cpu|scale|latency|parse|all] [--quick|--full] [OPTION]...
#
#   throughput  messages a second; with --tls, --dkim rsa|ed25519, --delay MS, --discard
#   cpu         processor time for each message
#   scale       memory and cost from ten thousand to a million readers, import and enqueuing
#   latency     a saved file's way to the sink; the public pages while a digest goes out
#   parse       a feed of 5 MB, beside xmllint
#   all         all of them, throughput with each of its options (if nothing is named)
#
# Prints tables; the numbers behind them go to build/bench/*.json. A bench that is named alone takes
# further options: --help shows them.

root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
# shellcheck source=tests/packages.sh
. "$root/tests/packages.sh"
# shellcheck source=tests/build.sh
. "$root/tests/build.sh"
# shellcheck source=tests/bench/references.sh
. "$root/tests/bench/references.sh"

# bench NAME [OPTION]...
bench() {
	name=$1
	shift
	LD_LIBRARY_PATH=$postfix_libraries /usr/bin/python3 -B "$root/tests/bench/$name.py" \
		--build "$root/build/release" --out "$root/build/bench" "$@"
}

throughput() {
	need_postfix_tools && bench throughput --postfix "$postfix_tools" "$@"
}

cpu() {
	need_nodemailer || {
		echo "SKIPPED: processor time beside nodemailer: npm could not install it (above)." >&2
		return 0
	}
	bench cpu --modules "$node_folder/node_modules" "$@"
}

all() {
	failed=0
	throughput "$@" || failed=1
	throughput --tls "$@" || failed=1
	throughput --dkim rsa "$@" || failed=1
	throughput --dkim ed25519 "$@" || failed=1
	throughput --dkim rsa --discard "$@" || failed=1
	throughput --dkim ed25519 --discard "$@" || failed=1
	throughput --delay 20 "$@" || failed=1
	throughput --discard "$@" || failed=1
	cpu "$@" || failed=1
	bench scale "$@" || failed=1
	bench latency "$@" || failed=1
	bench parse "$@" || failed=1
	return $failed
}

what=all
case ${1-} in
throughput | cpu | scale | latency | parse | all)
	what=$1
	shift
	;;
-h | --help)
	sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
	exit 0
	;;
-* | '') ;;
*)
	echo "run.sh: $1: no such bench (throughput cpu scale latency parse all)" >&2
	exit 64
	;;
esac

need_packages build bench || exit 1
build_preset release hubmaild hubmailctl hubmail-sink hubmail-bench-parse || exit 1
case $what in
scale | latency | parse) bench "$what" "$@" ;;
*) "$what" "$@" ;;
esac
