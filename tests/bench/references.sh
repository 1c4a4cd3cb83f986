#!/bin/sh
# For run.sh, with $root set: the programs that hubmail is measured beside. Postfix's test tools are
# unpacked from Debian's package into the build folder: installing it would start a mail server.

postfix_tools=${root:?}/build/tools/postfix/usr/sbin
# shellcheck disable=SC2034 # for run.sh
postfix_libraries=$root/build/tools/postfix/usr/lib/postfix

need_postfix_tools() {
	[ -x "$postfix_tools/smtp-source" ] && return 0
	echo "Unpacking Postfix's smtp-source and smtp-sink into build/tools"
	mkdir -p "$root/build/tools/postfix" || return 1
	(
		cd "$root/build/tools" || exit 1
		apt_lists_are_there || apt_get update || exit 1
		apt-get -q -o APT::Sandbox::User=root download postfix && dpkg-deb -x postfix_*.deb postfix && rm postfix_*.deb
	)
}
