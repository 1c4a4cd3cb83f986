#!/bin/sh
# The Debian 12 packages that hubmail needs, and how to get those that are missing.
#
#   sh tests/packages.sh [build] [test] [check] [bench]    installs what these groups need
#
# or, from another script:  . tests/packages.sh; need_packages build test

# (CMake asks for cmocka unless HUBMAIL_TESTS is off; the demo speaks Python. ca-certificates and tzdata
# are what hubmaild needs when it runs: for https and TLS relays, and for the lists' time zones.)
packages_build="
	cmake ninja-build gcc libc6-dev pkg-config
	libesmtp-dev libsqlite3-dev libevent-dev libconfig-dev libcurl4-openssl-dev libxml2-dev
	libjansson-dev libmd4c-dev libmd4c-html0-dev libyaml-dev libssl-dev libidn2-dev
	libsystemd-dev libsmartcols-dev libcsv-dev uthash-dev libcmocka-dev ca-certificates
	tzdata python3"

# What the unit tests and the end-to-end tests run on.
packages_test="
	python3-pytest python3-pytest-xdist python3-aiosmtpd python3-dkim python3-feedparser
	python3-cryptography ca-certificates mount util-linux nginx-light
	mandoc zsh fish"

# Format, lint and fuzzers.
packages_check="
	bash git clang clang-format clang-tidy libclang-rt-14-dev shellcheck mandoc"

# The benches' own, and what Postfix's smtp-source and smtp-sink are linked with (postfix itself is
# unpacked, not installed; node and npm are left to whoever has them: tests/bench/references.sh).
packages_bench="
	python3 python3-cryptography ca-certificates openssl sqlite3 libxml2-utils
	libdb5.3 libicu72 libnsl2 libssl3"

# Prints those of the packages that are not installed.
missing_packages() {
	wanted=$(printf '%s ' "$@")
	installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null |
		sed -n 's/ installed$//p' | tr '\n' ' ')
	for package in $wanted; do
		case " $installed" in
		*" $package "*) ;;
		*) echo "$package" ;;
		esac
	done
}

# Runs a command as root, with sudo if need be.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "$*: needs root, and there is no sudo. Become root and start this again." >&2
		return 1
	fi
}

# Without questions.
apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@"
}

# The tests start what they need themselves: a package that is a service is not to start one. An
# administrator's own policy (invoke-rc.d(8)) stays.
policy=/usr/sbin/policy-rc.d
forbid_services() {
	[ -e "$policy" ] && return 0
	printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null &&
		as_root chmod 755 "$policy" && our_policy=yes
}

allow_services() {
	[ "${our_policy:-}" = yes ] && as_root rm -f "$policy"
	our_policy=
}

apt_lists_are_there() {
	for list in /var/lib/apt/lists/*_Packages*; do
		[ -e "$list" ] && return 0
	done
	return 1
}

install_packages() {
	echo "Installing $# Debian packages: $*"
	apt_lists_are_there || apt_get update || return 1
	forbid_services || return 1
	apt_get install -y --no-install-recommends "$@" || {
		echo "That failed; the package lists may be old. Once more with new ones."
		apt_get update && apt_get install -y --no-install-recommends "$@"
	}
	set -- $?
	allow_services
	return "$1"
}

# need_packages GROUP…: afterwards they are there, or it returns 1 and has said why.
need_packages() {
	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		echo "This is no Debian: install what tests/packages.sh lists, then start this again." >&2
		return 1
	fi
	needed=
	for group in "$@"; do
		case $group in
		build) needed="$needed $packages_build" ;;
		test) needed="$needed $packages_test" ;;
		check) needed="$needed $packages_check" ;;
		bench) needed="$needed $packages_bench" ;;
		*)
			echo "need_packages: $group: no such group (build test check bench)" >&2
			return 1
			;;
		esac
	done
	# shellcheck disable=SC2086 # lists of words
	needed=$(missing_packages $needed | sort -u)
	[ -z "$needed" ] && return 0
	# shellcheck disable=SC2086
	install_packages $needed
}

case ${0##*/} in
packages.sh)
	if [ $# = 0 ]; then
		set -- build test check bench
	fi
	need_packages "$@" && echo "Everything for $* is installed."
	;;
esac
