#!/bin/sh
# For run.sh: the file systems that tests need and that a bare chroot lacks. They are mounted for as
# long as the script runs.

mounted=

mount_for_now() {
	echo "$3 is not mounted here; mounting it until the tests are over"
	mkdir -p "$3" && mount -t "$1" -o "$2" "hubmail-test" "$3" && mounted="$3 $mounted"
}

unmount_all() {
	for place in $mounted; do
		umount -l "$place"
	done
	mounted=
}

# The sanitizers read /proc; a test of what a terminal shows needs pseudo-terminals.
need_mounts() {
	trap unmount_all EXIT
	trap 'exit 130' INT TERM
	[ -e /proc/self/maps ] || mount_for_now proc nosuid /proc || return 1
	[ -e /dev/pts/ptmx ] || mount_for_now devpts ptmxmode=666,mode=620 /dev/pts ||
		echo "Tests that need a terminal will fail."
}
