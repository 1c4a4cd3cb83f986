#!/bin/sh
# For run.sh, with $root set: the programs that hubmail is measured beside. Postfix's test tools are
# unpacked from Debian's package into the build folder: installing it would start a mail server.
# Nodemailer is installed there, too, in the version of package-lock.json.

postfix_tools=${root:?}/build/tools/postfix/usr/sbin
# shellcheck disable=SC2034 # for run.sh
postfix_libraries=$root/build/tools/postfix/usr/lib/postfix
node_folder=$root/build/bench/node

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

# Whoever has node and npm from elsewhere keeps them.
need_node() {
	command -v node >/dev/null && command -v npm >/dev/null && return 0
	install_packages nodejs npm
}

need_nodemailer() {
	need_node || return 1
	mkdir -p "$node_folder" || return 1
	cp "$root/tests/bench/package.json" "$root/tests/bench/package-lock.json" \
		"$root/tests/bench/.npmrc" "$node_folder" || return 1
	cmp -s "$node_folder/package-lock.json" "$node_folder/installed" && return 0
	echo "Installing nodemailer into build/bench/node"
	(cd "$node_folder" && npm ci --ignore-scripts --no-audit --no-fund) >"$node_folder/npm.log" 2>&1 || {
		tail -n 20 "$node_folder/npm.log"
		return 1
	}
	cp "$node_folder/package-lock.json" "$node_folder/installed"
}
