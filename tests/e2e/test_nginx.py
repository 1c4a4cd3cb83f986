"""A feed as it stands on the web: a file behind nginx, over HTTPS, with compression and validators.

The daemon trusts the system's authorities only. For the test's own, it starts in a mount namespace
in which the system's file of authorities is another one."""

import os
import re
import shutil
import subprocess

import pytest

from feed import item, rss
from sink import free_port
from waiting import stays, wait_until

NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
TRUSTED = "/etc/ssl/certs/ca-certificates.crt"
CONFIGURATION = """\
daemon off;
worker_processes 1;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
	types {{ application/rss+xml xml; }}
	log_format looks '$request_method $uri $status encoding=$sent_http_content_encoding'
		' asked="$http_if_none_match" agent="$http_user_agent"';
	access_log {folder}/access.log looks;
	client_body_temp_path {folder}/t1;
	proxy_temp_path {folder}/t2;
	fastcgi_temp_path {folder}/t3;
	uwsgi_temp_path {folder}/t4;
	scgi_temp_path {folder}/t5;
	gzip {gzip};
	gzip_types application/rss+xml;
	gzip_min_length 1;
	server {{
		listen 127.0.0.1:{port} ssl;
		ssl_certificate {certificate};
		ssl_certificate_key {key};
		root {folder}/site;
	}}
}}
"""


class Nginx:
    def __init__(self, folder, certificate, key, gzip):
        self.folder = folder
        self.site = folder / "site"
        self.site.mkdir(parents=True)
        self.log_file = folder / "access.log"
        self.port = free_port()
        self.url = f"https://localhost:{self.port}/feed.xml"
        self.file = folder / "nginx.conf"
        # nginx's workers are to read the test's folder, which is its owner's alone.
        user = "user root;" if os.geteuid() == 0 else ""
        self.file.write_text(
            CONFIGURATION.format(
                folder=folder,
                port=self.port,
                certificate=certificate,
                key=key,
                user=user,
                gzip="on" if gzip else "off",
            )
        )

    def put(self, *items):
        """The file is replaced, as a generator of sites does it."""
        new = self.site / "feed.new"
        new.write_text(rss(*items))
        new.rename(self.site / "feed.xml")

    def start(self):
        self.process = subprocess.Popen(
            [NGINX, "-p", self.folder, "-e", self.folder / "error.log", "-c", self.file],
            stdin=subprocess.DEVNULL,
        )
        wait_until(self._is_up, "nginx runs")
        return self

    def _is_up(self):
        assert self.process.poll() is None, (self.folder / "error.log").read_text()
        pid = self.folder / "nginx.pid"
        return pid.exists() and pid.read_text().strip()

    def stop(self):
        self.process.terminate()
        self.process.wait(20)

    def looks(self, status=None):
        """The lines of the access log."""
        lines = self.log_file.read_text().splitlines() if self.log_file.exists() else []
        return [x for x in lines if status is None or f"/feed.xml {status} " in x]


@pytest.fixture
def make_nginx(tmp_path, authority):
    if NGINX is None:
        pytest.skip("NO NGINX TESTED: it is not installed (sh tests/packages.sh test)")
    servers = []

    def make(gzip=True):
        folder = tmp_path / f"nginx{len(servers)}"
        servers.append(Nginx(folder, *authority.issue("localhost"), gzip).start())
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def trusting(house, authority):
    """The house, whose daemon trusts the test's authority."""
    if os.geteuid() != 0:
        pytest.skip("NO FEED OVER HTTPS TESTED: a mount namespace needs root")
    tried = subprocess.run(["unshare", "-m", "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        pytest.skip(f"NO FEED OVER HTTPS TESTED: unshare -m failed: {tried.stderr.strip()}")
    script = f'mount --bind "$1" {TRUSTED} && shift && exec "$@"'
    house.wrapper = ["unshare", "-m", "sh", "-c", script, "sh", authority.file]
    return house


@pytest.mark.parametrize("gzip", [True, False], ids=["gzip", "plain"])
def test_a_feed_behind_nginx_is_loaded_once_and_then_only_asked_for_changes(
    trusting, sink, make_nginx, gzip
):
    house, nginx = trusting, make_nginx(gzip)
    nginx.put(item("Old", 1))
    house.news["sources"] = [house.feed_of(nginx.url, interval="1s")]
    house.start()
    source = house.source("feed")
    assert source["state"] == "ok", source
    house.add("ann@example.org", "bob@example.org")
    wait_until(lambda: len(nginx.looks(304)) >= 2, "nginx was asked for changes")
    first, *others = nginx.looks()
    assert first.startswith("GET /feed.xml 200 ") and 'asked="-"' in first
    assert ("encoding=gzip" in first) == gzip and "hubmail" in first
    assert all(re.match(r'GET /feed\.xml 304 .* asked="(W/)?\\x22', x) for x in others), others

    nginx.put(item("News", 2), item("Old", 1))
    entries = sink.wait_for(2)
    assert all("News" in e.mail.subject for e in entries)
    known = len(nginx.looks(304))
    wait_until(lambda: len(nginx.looks(304)) >= known + 2, "nginx was asked on")
    assert len(sink.accepted) == 2
    assert len(nginx.looks(200)) == 2, nginx.looks()
    assert len(nginx.looks()) == len(nginx.looks(200)) + len(nginx.looks(304))


def test_a_stranger_s_certificate_is_an_error_and_mails_nothing(house, sink, make_nginx):
    nginx = make_nginx()
    nginx.put(item("Old", 1))
    house.news["sources"] = [house.feed_of(nginx.url, interval="1s")]
    house.start()
    house.add("ann@example.org")
    assert house.source("feed")["state"] == "failing"
    listed = house.ctl("sources")
    assert nginx.url in listed.out and "its certificate cannot be trusted" in listed.out, listed
    nginx.put(item("News", 2), item("Old", 1))
    wait_until(lambda: house.source("feed")["failures"] >= 2, "it was tried again")
    stays(lambda: not sink.accepted, "nothing is mailed", 0.5)
    assert house.ask("posts") == [] and nginx.looks() == []
