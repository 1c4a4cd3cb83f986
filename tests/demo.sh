#!/bin/sh
# Shows hubmail's main job on this machine, in a temporary folder: three readers, a new post on a
# blog, and what each of them finds in the inbox. Needs Debian 12 and nothing else:
#
#   sh tests/demo.sh
#
# Missing packages are installed with apt-get, hubmail is built in build/release. Nothing is mailed
# to anybody: the SMTP server is a sink on the loopback interface. Nothing is left running.

root=$(cd "$(dirname "$0")/.." && pwd) || exit 1
# shellcheck source=tests/packages.sh
. "$root/tests/packages.sh"
# shellcheck source=tests/build.sh
. "$root/tests/build.sh"

blog=$root/tests/fixtures/blog
bin=$root/build/release
python=/usr/bin/python3
readers="ann@example.org li@example.org zoe@example.net"

bold='' plain=''
if [ -t 1 ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[0m')
fi

say() {
	printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

give_up() {
	printf '\nThe demo failed: %s\n' "$*" >&2
	if [ -n "${home-}" ]; then
		printf 'What the daemon said last (%s):\n' "$home/hubmaild.log" >&2
		tail -n 20 "$home/hubmaild.log" >&2
	fi
	exit 1
}

# ---- The players ----

daemon='' sink='' feed=''

stop_players() {
	for player in $daemon $feed $sink; do
		kill "$player" 2>/dev/null
		wait "$player" 2>/dev/null
	done
	daemon='' sink='' feed=''
}

# until_true SECONDS COMMAND…: tries the command until it succeeds.
until_true() {
	end=$(($(date +%s) + $1))
	shift
	until "$@"; do
		[ "$(date +%s)" -ge "$end" ] && return 1
		sleep 0.1
	done
}

free_ports() {
	"$python" - "$1" <<-'PYTHON'
		import socket, sys
		sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
		for s in sockets:
		    s.bind(("127.0.0.1", 0))
		print(*(s.getsockname()[1] for s in sockets))
	PYTHON
}

write_config() {
	cat >"$home/hubmail.conf" <<-CONF
		database = "$home/hubmail.db";
		secret_file = "$home/secret";
		control = { socket = "$home/control.sock"; };
		web = { listen = "127.0.0.1:$web_port"; url = "http://127.0.0.1:$web_port"; };
		relays = ( { name = "sink"; host = "127.0.0.1"; port = $(cat "$home/port"); tls = "none"; } );
		lists = ( {
		  name = "night-ferry"; title = "The Night Ferry";
		  from = "The Night Ferry <ferry@example.org>";
		  sources = ( { directory = "$home/posts"; url = "https://ferry.example/"; },
		              { feed = "http://127.0.0.1:$feed_port/feed.xml"; interval = "5m"; allow_private = true; } );
		  schedule = "each";
		} );
	CONF
}

ctl() {
	"$bin/hubmailctl" -c "$home/hubmail.conf" "$@"
}

# Shows the command as a person would type it, then runs it. (On a terminal it prints tables.)
show_ctl() {
	printf '\n  $ hubmailctl %s\n' "$*"
	ctl "$@" || give_up "hubmailctl $1 said no"
}

accepted() {
	grep -c '"event":"message"' "$home/inbox/log.jsonl" 2>/dev/null
}

has_accepted() {
	[ "$(accepted)" -ge "$1" ]
}

has_looked() {
	ctl --json sources 2>/dev/null |
		"$python" -c 'import json, sys; sys.exit(any(s["state"] != "ok" for s in json.load(sys.stdin)))' \
			2>/dev/null
}

start_players() {
	home=$(mktemp -d "${TMPDIR:-/tmp}/hubmail-demo.XXXXXX") || exit 1
	trap stop_players EXIT
	trap 'exit 130' INT TERM
	mkdir "$home/posts" "$home/feed"
	cp "$blog"/posts/* "$home/posts/"
	cp "$blog/feed/feed.xml" "$home/feed/"
	ports=$(free_ports 2) || give_up "there is no free port"
	web_port=${ports% *} feed_port=${ports#* }

	"$bin/hubmail-sink" --dir "$home/inbox" --port-file "$home/port" >"$home/sink.log" 2>&1 &
	sink=$!
	"$python" -B "$root/tests/e2e/feed.py" "$home/feed" "$feed_port" >"$home/feed.log" 2>&1 &
	feed=$!
	until_true 10 test -s "$home/port" || give_up "the SMTP sink did not start"
	until_true 10 grep -q server: "$home/feed.log" || give_up "the feed server did not start"
	write_config
	"$bin/hubmaild" -c "$home/hubmail.conf" -f >"$home/hubmaild.log" 2>&1 &
	daemon=$!
	until_true 20 has_looked || give_up "hubmaild did not come up"
}

# show_mail FIRST SUBJECT-PART…: the messages from number FIRST on, one for each reader, judged.
show_mail() {
	# shellcheck disable=SC2086 # readers is a list of words
	"$python" -B "$root/tests/demo_show.py" "$home/inbox" "$home/mail" "$@" -- $readers ||
		give_up "a reader did not get the right mail"
}

# ---- The play ----

say "What hubmail needs"
need_packages build || exit 1
build_preset release hubmaild hubmailctl hubmail-sink || exit 1

say "A blog, three readers, and hubmaild watching"
start_players
echo "  The blog has $(find "$home/posts" -name '*.md' | wc -l) posts in a directory, and a feed. hubmaild has seen them, and mails"
echo "  nothing of what was there before it came."
show_ctl add ann@example.org --name "Ann"
show_ctl add li@example.org --name "李雷"
show_ctl add zoe@example.net
show_ctl subscribers

say "1. A new post is saved in the directory; hubmaild finds and mails it by itself"
cp "$blog/new-post.md" "$home/posts/2026-11-23-lighthouse.md"
until_true 20 has_accepted 3 || give_up "the new post did not reach three readers"
show_mail 0 "lighthouse" "灯塔守望者"

say "2. The feed has a new item; hubmaild is told to look now instead of in five minutes"
cp "$blog/feed/feed-with-news.xml" "$home/feed/next.xml"
mv "$home/feed/next.xml" "$home/feed/feed.xml"
show_ctl poll
until_true 20 has_accepted 6 || give_up "the feed's item did not reach three readers"
show_mail 3 "Pier 4 & the new ferry" "新渡轮"

say "3. A digest by hand: the newest three posts once more"
show_ctl send night-ferry --last 3 --dry-run
show_ctl send night-ferry --last 3 --wait
until_true 20 has_accepted 9 || give_up "the digest did not reach three readers"
show_mail 6 "" "lighthouse" "新渡轮"

say "How it stands"
show_ctl digests
[ "$(accepted)" = 9 ] || give_up "9 messages were to arrive, and $(accepted) did"
stop_players

say "Done: 9 messages, each reader got each digest once. Nothing is running any more."
echo "  Open in a browser:  $home/mail/*.html"
echo "  As they came:       $home/mail/*.eml"
echo "  Throw it away:      rm -r $home"
