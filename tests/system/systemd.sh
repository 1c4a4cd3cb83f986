#!/bin/bash
# Installs hubmail into a Debian 12 of its own, boots that with systemd-nspawn, and looks whether the
# unit does what it promises: tests/system/inside.sh has the checks. Needs root, and for the first
# run the network (debootstrap).
#
#   sh tests/system/systemd.sh           in a temporary folder, removed at the end
#   sh tests/system/systemd.sh FOLDER    keeps the bare Debian in FOLDER/base for the next run
#
# MIRROR names another Debian mirror.

[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
set -u
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
# shellcheck source=tests/packages.sh
. "$root/tests/packages.sh"

# What hubmaild and hubmailctl are linked with, and a system to run them on.
runtime=libesmtp6,libsqlite3-0,libevent-2.1-7,libevent-pthreads-2.1-7,libconfig9,libcurl4,libxml2
runtime=$runtime,libjansson4,libmd4c0,libmd4c-html0,libyaml-0-2,libssl3,libidn2-0,libsystemd0
runtime=$runtime,libsmartcols1,libcsv3,ca-certificates,tzdata
system=systemd,systemd-sysv,libnss-systemd,dbus,util-linux

fail() {
	echo "systemd.sh: $*" >&2
	exit 1
}

[ "$(id -u)" = 0 ] || fail "a container needs root: start this with sudo."
need_packages build || exit 1
# shellcheck disable=SC2046 # a list of words
set -- "${1-}" $(missing_packages debootstrap systemd-container)
if [ $# -gt 1 ]; then
	install_packages "${@:2}" || exit 1
fi

work=$(mktemp -d /var/tmp/hubmail-system-XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
base=${1:-$work}/base

bootstrap() {
	[ -e "$base/.complete" ] && return 0
	echo "Making a bare Debian 12 in $base"
	rm -rf "$base"
	mkdir -p "$base" || return 1
	debootstrap --variant=minbase --include="$system,$runtime" bookworm "$base" \
		${MIRROR:+"$MIRROR"} >"$work/debootstrap.log" 2>&1 || {
		tail -n 20 "$work/debootstrap.log"
		return 1
	}
	rm -rf "$base"/var/cache/apt/archives/*.deb
	touch "$base/.complete"
}

# A build of its own, since the prefix is compiled in.
build() {
	echo "Building hubmail for /usr in $root/build/system"
	(
		cd "$root" &&
			cmake --preset release -B build/system -DCMAKE_INSTALL_PREFIX=/usr &&
			cmake --build build/system --target hubmaild hubmailctl hubmail-sink all \
				-j "$(nproc)"
	) >"$work/build.log" 2>&1 || {
		tail -n 40 "$work/build.log"
		return 1
	}
}

install_into() {
	DESTDIR=$1 cmake --install "$root/build/system" >"$work/install.log" 2>&1 || {
		cat "$work/install.log"
		return 1
	}
	find "$root/build/system" -name hubmail-sink -type f -perm -u+x \
		-exec install -m 755 {} "$1/usr/local/bin/hubmail-sink" \;
	install -m 755 "$root/tests/system/inside.sh" "$1/usr/local/bin/hubmail-inside"
	cp -r "$root/tests/fixtures/blog" "$1/srv/fixture" || return 1
	cat >"$1/etc/systemd/system/hubmail-inside.service" <<-'UNIT'
		[Unit]
		After=multi-user.target
		[Service]
		Type=oneshot
		TimeoutStartSec=5min
		ExecStart=-/bin/sh -c 'exec hubmail-inside >/inside.log 2>&1'
		ExecStart=/bin/systemctl --no-block --force poweroff
	UNIT
	mkdir -p "$1/etc/systemd/system/default.target.wants" &&
		ln -sf ../hubmail-inside.service "$1/etc/systemd/system/default.target.wants/"
}

# Network: none but a loopback of its own. An unprivileged user namespace would be nearer to nothing
# that people run.
boot() {
	timeout --kill-after=10 400 systemd-nspawn --quiet --directory="$1" --boot --register=no \
		--keep-unit --private-network --machine=hubmail-system </dev/null >"$work/boot.log" 2>&1
}

bootstrap || fail "no Debian to boot: see above."
build || fail "hubmail does not build: see above."
cp -a --reflink=auto "$base" "$work/root" || fail "$base cannot be copied."
install_into "$work/root" || fail "hubmail cannot be installed: see above."
echo "Booting it"
boot "$work/root"
if [ ! -s "$work/root/inside.log" ]; then
	tail -n 40 "$work/boot.log"
	fail "the container did not come so far as to check anything: see above."
fi
cat "$work/root/inside.log"
tail -n 1 "$work/root/inside.log" | grep -q '^Everything passed'
