#!/bin/bash
# The checks of systemd.sh, run by systemd inside the booted root. Everything is as a package's
# installation leaves it; the example configuration is adapted as its own comments say.

failures=0
conf=/etc/hubmail/hubmail.conf
sink=/var/lib/sink

check() {
	name=$1
	shift
	if said=$("$@" 2>&1); then
		echo "ok      $name"
	else
		echo "FAILED  $name"
		printf '%s\n' "$said" | sed 's/^/        /'
		failures=$((failures + 1))
	fi
}

# within SECONDS COMMAND…: until it succeeds. Shows what it said last.
within() {
	local until=$((SECONDS + $1)) last
	shift
	while ! last=$("$@" 2>&1); do
		[ "$SECONDS" -lt "$until" ] || { echo "$last" && return 1; }
		sleep 0.1
	done
}

shows() {
	[ "$(systemctl show -P "$1" hubmaild)" = "$2" ] && return 0
	systemctl show -p "$1" hubmaild
	return 1
}

main_pid() {
	systemctl show -P MainPID hubmaild
}

logged() {
	journalctl -q -u hubmaild -o cat | grep -qF -- "$1"
}

is_owned() {
	[ "$(stat -c '%U:%G %a' "$1")" = "$2" ] && return 0
	stat -c '%n %U:%G %a' "$1"
	return 1
}

as() {
	local user=$1
	shift
	runuser -u "$user" -- "$@"
}

# ---- What is there before the first start ----

adapt_configuration() {
	sed -i \
		-e 's|^#control = .*|control = { group = "hubmail"; };|' \
		-e 's|^\( *\)host = .*|\1host = "127.0.0.1"; port = 2525; tls = "none";|' \
		-e 's|^\( *\)schedule = .*|\1schedule = "each";|' \
		-e 's|{ feed = "https://example.org/feed/"; } .*|{ directory = "/srv/blog"; url = "https://example.org/srv/"; }, { directory = "/home/anna/blog"; url = "https://example.org/anna/"; }, { feed = "http://localhost:8080/feed.xml"; allow_private = true; }|' \
		$conf
	install -m 600 /dev/null /etc/hubmail/smtp-password
	echo correct-horse >/etc/hubmail/smtp-password
}

# A web server with one file, as a name that has to be looked up.
serve_feed() {
	cat >/usr/local/bin/feed-server <<-'SH'
		#!/bin/bash
		while read -r line && [ "$line" != $'\r' ]; do :; done
		printf 'HTTP/1.0 200 OK\r\nContent-Type: application/rss+xml\r\n\r\n'
		cat /srv/fixture/feed/feed.xml
	SH
	chmod 755 /usr/local/bin/feed-server
	cat >/etc/systemd/system/feed.socket <<-'UNIT'
		[Socket]
		ListenStream=127.0.0.1:8080
		Accept=yes
	UNIT
	cat >/etc/systemd/system/feed@.service <<-'UNIT'
		[Service]
		ExecStart=/usr/local/bin/feed-server
		StandardInput=socket
		StandardError=journal
	UNIT
}

make_surroundings() {
	serve_feed
	useradd --create-home anna
	useradd --create-home mallory
	usermod -aG hubmail anna
	chmod 755 /home/anna
	cp -r /srv/fixture/posts /srv/blog
	mkdir -p /home/anna/blog
	systemd-run --quiet --unit=sink -p StateDirectory=sink \
		hubmail-sink --port 2525 --dir $sink --eml --auth news@example.org:correct-horse
	mkdir -p /etc/systemd/system/hubmaild.service.d
	printf '[Service]\nWatchdogSec=2s\n' >/etc/systemd/system/hubmaild.service.d/quick.conf
	systemctl daemon-reload
	systemctl start feed.socket
}

test_installed() {
	check "sysusers made the user" getent passwd hubmail
	check "tmpfiles made the database's folder" is_owned /var/lib/hubmail "hubmail:hubmail 750"
	check "the unit has no mistake" systemd-analyze verify --man=no hubmaild.service
	check "the unit's exposure is at most 1.5" \
		systemd-analyze security --no-pager --threshold=15 hubmaild.service
	check "the configuration is right" hubmaild -t
	check "hubmailctl makes the database" hubmailctl add reader@example.com
	check "it is the daemon's" is_owned /var/lib/hubmail/hubmail.db "hubmail:hubmail 640"
}

# ---- Running ----

runs_as_hubmail() {
	[ "$(stat -c %U "/proc/$(main_pid)")" = hubmail ]
}

watchdog_moved() {
	[ "$(systemctl show -P WatchdogTimestampMonotonic hubmaild)" != "$1" ]
}

is_refused() {
	local said
	said=$(as "$1" hubmailctl poll 2>&1)
	[ $? = 1 ] && [[ $said == *"group hubmail"* ]] && return 0
	echo "$said"
	return 1
}

healthz() {
	exec 3<>/dev/tcp/127.0.0.1/8025 || return 1
	printf 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n' >&3
	grep -q '^ok' <&3
}

test_running() {
	local seen
	check "it starts, and says when it is ready" systemctl start hubmaild
	check "it is active" shows ActiveState active
	check "it runs as hubmail" runs_as_hubmail
	check "it has no capability" grep -q '^CapPrm:\s0*$' "/proc/$(main_pid)/status"
	check "the socket is the group's" is_owned /run/hubmail/control.sock "hubmail:hubmail 660"
	check "the secret is its own" is_owned /var/lib/hubmail/secret "hubmail:hubmail 600"
	check "root may ask it" hubmailctl status
	check "a member of the group may ask it" as anna hubmailctl status
	check "others may not, and are told who may" is_refused mallory
	check "the pages are served" healthz
	seen=$(systemctl show -P WatchdogTimestampMonotonic hubmaild)
	check "the watchdog is fed" within 20 watchdog_moved "$seen"
}

# ---- The main job, within the sandbox ----

all_looked_at() {
	local sources
	sources=$(hubmailctl sources)
	[ "$(cut -f4 <<<"$sources" | grep -cx ok)" = 3 ] && return 0
	echo "$sources"
	return 1
}

has_mailed() {
	grep -rlqF -- "$1" $sink 2>/dev/null
}

post() {
	printf -- '---\ntitle: %s\ndate: %s\n---\n\nText of %s.\n' "$2" "$(date -u +%FT%TZ)" "$2" \
		>"$1.tmp"
	mv "$1.tmp" "$1"
}

test_main_job() {
	check "two folders and a feed are looked at" within 30 all_looked_at
	post /srv/blog/new-in-srv.md "Fog over the harbour wall"
	check "a post saved in /srv is mailed, with a login by root's password file" \
		within 60 has_mailed "Fog over the harbour wall"
	post /home/anna/blog/new-at-home.md "Bread from the old oven"
	check "a post saved in a home is mailed" within 60 has_mailed "Bread from the old oven"
}

# ---- Reload, restart, stop ----

test_reload() {
	local pid
	pid=$(main_pid)
	sed -i 's|title = "Example News"|title = "Changed News"|' $conf
	check "reload takes a changed file" systemctl reload hubmaild
	check "and says so" within 20 logged "configuration reloaded"
	sed -i 's|schedule = "each"|schedule = "eech"|' $conf
	systemctl reload hubmaild
	check "reload names a mistake" within 20 logged "configuration is wrong"
	sed -i 's|schedule = "eech"|schedule = "each"|' $conf
	check "and the daemon goes on" hubmailctl status
	check "all in the same process" [ "$(main_pid)" = "$pid" ]
	check "and is still active" shows ActiveState active
}

is_back() {
	[ "$(main_pid)" != 0 ] && [ "$(main_pid)" != "$1" ] && hubmailctl status >/dev/null 2>&1
}

test_failures() {
	local pid
	pid=$(main_pid)
	kill -KILL "$pid"
	check "killed, it is started again" within 30 is_back "$pid"
	pid=$(main_pid)
	kill -STOP "$pid"
	check "stuck, the watchdog starts it again" within 60 is_back "$pid"
	check "restart works" timeout 60 systemctl restart hubmaild
	check "stop works" timeout 60 systemctl stop hubmaild
	check "and is no failure" shows Result success
	check "the socket is gone" [ ! -e /run/hubmail/control.sock ]
	sed -i 's|schedule = "each"|schedule = "eech"|' $conf
	check "a wrong configuration does not start" is_not_started
	check "with code 78" shows ExecMainStatus 78
	check "and not again and again" shows SubState failed
	sed -i 's|schedule = "eech"|schedule = "each"|' $conf
	rm /etc/hubmail/smtp-password
	check "a missing password does not start" is_not_started
	check "and its file is named" within 20 logged "/etc/hubmail/smtp-password"
	sed -i -e '/^ *username = /d' -e '/^ *password_file = /d' $conf
	check "without a login it starts without that file" systemctl start hubmaild
	check "and stops in time" timeout 60 systemctl stop hubmaild
}

is_not_started() {
	systemctl reset-failed hubmaild
	! systemctl start hubmaild 2>/dev/null
}

check "the example can be adapted" adapt_configuration
check "the surroundings are made" make_surroundings
test_installed
test_running
test_main_job
test_reload
test_failures

if [ "$failures" = 0 ]; then
	echo "Everything passed."
else
	echo
	echo "The daemon's log:"
	journalctl -q -u hubmaild -o cat | tail -n 60 | sed 's/^/        /'
	echo "$failures FAILED."
fi
