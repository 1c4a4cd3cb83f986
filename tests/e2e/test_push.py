"""Sources that tell of their news: hubs (WebSub) and hooks."""

import hashlib
import hmac
import http.client
import signal
import time

import pytest

from feed import item, rss
from hub import Hub, call
from waiting import stays, wait_until


@pytest.fixture
def hub():
    one = Hub().start()
    yield one
    one.stop()


def with_hub(hub, url, *items):
    link = f"<atom:link rel='hub' href='{hub.url}'/><atom:link rel='self' href='{url}'/>"
    return rss(*items).replace("<channel>", "<channel>" + link, 1)


def subscribed(house, feeds, hub):
    """The feed's address, once its hub has a subscriber."""
    url = feeds.base + "/feed"
    feeds.put("/feed", with_hub(hub, url, item("Old", 1)))
    house.news["sources"] = [house.feed_of(url, interval="1h")]
    house.start()
    house.add("ann@example.org")
    wait_until(lambda: url in hub.subscribers, "the hub has a subscriber")
    return url


def test_what_a_hub_delivers_is_mailed_within_a_second(house, sink, feeds, hub):
    url = subscribed(house, feeds, hub)
    assert house.source("feed")["push_until"]
    looks = feeds.count("/feed")
    start = time.monotonic()
    assert hub.deliver(url, with_hub(hub, url, item("News", 2), item("Old", 1))) == 202
    (entry,) = sink.wait_for(1)
    print(f"mailed after {time.monotonic() - start:.2f} s")
    assert "News" in entry.mail.subject
    assert feeds.count("/feed") == looks


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha384", "sha512"])
def test_a_delivery_that_is_not_signed_with_our_key_is_not_believed(house, sink, feeds, hub, digest):
    url = subscribed(house, feeds, hub)
    assert hub.deliver(url, rss(item("Forged", 2)), key="guess", digest=digest) == 202
    callback = hub.subscribers[url]["hub.callback"]
    assert call(callback, rss(item("Forged", 3)).encode())[0] == 202
    assert call(callback + "x", rss(item("Forged", 4)).encode())[0] == 410
    assert hub.deliver(url, rss(item("True", 5)), digest=digest) == 202
    sink.wait_for(1)
    stays(lambda: len(sink.accepted) == 1, "no other is mailed", 0.5)
    assert "True" in sink.accepted[0].mail.subject


def test_nobody_can_end_a_subscription_or_begin_another(house, feeds, hub):
    url = subscribed(house, feeds, hub)
    fields = hub.subscribers[url]
    assert hub.ask(fields, hub_mode="unsubscribe")[0] == 404
    assert hub.ask(fields, hub_topic="https://other.example/")[0] == 404
    assert hub.ask(fields)[0] == 404
    assert house.source("feed")["push_until"]


def reload(house):
    house.write_config()
    house.signal(signal.SIGHUP)


@pytest.mark.parametrize("what", ["source", "list"])
def test_the_hub_of_what_is_taken_out_of_the_configuration_is_left(house, feeds, hub, what):
    url = subscribed(house, feeds, hub)
    wait_until(lambda: house.source("feed")["push_until"], "the lease is on disk")
    fields = hub.subscribers[url]
    if what == "source":
        house.news["sources"] = house.list_of("news")["sources"]
    else:
        house.settings["lists"] = [house.list_of("other")]
    reload(house)
    wait_until(lambda: url not in hub.subscribers, "the hub has no subscriber any more")
    assert [asked["hub.mode"] for asked in hub.asked] == ["subscribe", "unsubscribe"]
    assert hub.asked[1]["hub.callback"] == fields["hub.callback"]
    hub.subscribers[url] = fields
    assert hub.deliver(url, rss(item("Late", 2))) == 410
    assert hub.ask(fields, hub_mode="unsubscribe")[0] == 404
    house.wait_log("hub tells nothing of the source any more")


def test_a_hub_that_cannot_be_left_is_in_nobodys_way(house, sink, feeds, hub):
    subscribed(house, feeds, hub)
    wait_until(lambda: house.source("feed")["push_until"], "the lease is on disk")
    hub.stop()
    house.news["sources"] = house.list_of("news")["sources"]
    reload(house)
    house.wait_log("hub does not take the end of a subscription")
    wait_until(lambda: house.source()["state"] == "ok", "the first look at the directory is over")
    house.write_post("a.md", "From the directory")
    sink.wait_for(1)
    house.restart()


def test_a_subscription_is_kept_over_a_restart_and_not_asked_for_again(house, sink, feeds, hub):
    url = subscribed(house, feeds, hub)
    wait_until(lambda: house.source("feed")["push_until"], "the lease is on disk")
    house.restart()
    assert hub.deliver(url, rss(item("News", 2))) == 202
    sink.wait_for(1)
    assert len(hub.asked) == 1


def test_a_hub_named_in_a_header_only(house, sink, feeds, hub):
    url = feeds.base + "/plain"
    link = f'<{hub.url}>; rel="hub", <{url}>; rel=self'
    feeds.put("/plain", rss(item("Old", 1)), Link=link)
    house.news["sources"] = [house.feed_of(url, interval="1h")]
    house.start()
    house.add("ann@example.org")
    wait_until(lambda: url in hub.subscribers, "the hub has a subscriber")
    assert hub.deliver(url, rss(item("News", 2))) == 202
    sink.wait_for(1)


def hook_of(house):
    (row,) = [s for s in house.ask("sources", "--hooks") if s["location"].startswith("http")]
    return row["hook"]


def test_a_hook_finds_a_post_at_once(house, sink, feeds):
    url = feeds.put("/feed", rss(item("Old", 1)))
    house.news["sources"] = [house.feed_of(url, interval="1h")]
    house.start()
    house.add("ann@example.org")
    hook = hook_of(house)
    address, secret = hook.split("?secret=")
    feeds.put("/feed", rss(item("One", 2), item("Old", 1)))
    assert call(address, b"{}")[0] == 403
    assert call(address + "?secret=wrong", b"{}")[0] == 403
    assert call(hook)[0] == 405
    stays(lambda: not sink.accepted, "nobody was believed", 0.3)
    assert call(hook, b'{"ref":"main"}')[0] == 202
    sink.wait_for(1)
    feeds.put("/feed", rss(item("Two", 3), item("One", 2), item("Old", 1)))
    assert call(address, b"", Authorization=f"Bearer {secret}")[0] == 202
    sink.wait_for(2)
    feeds.put("/feed", rss(item("Three", 4), item("Two", 3), item("Old", 1)))
    signature = hmac.new(secret.encode(), b"payload", hashlib.sha256).hexdigest()
    assert call(address, b"payload", **{"X-Hub-Signature-256": f"sha256={signature}"})[0] == 202
    sink.wait_for(3)


def test_a_storm_of_hooks_is_a_few_looks(house, feeds):
    url = feeds.put("/feed", rss(item("Old", 1)))
    house.news["sources"] = [house.feed_of(url, interval="1h")]
    house.start()
    hook = hook_of(house)
    before = feeds.count("/feed")
    assert {call(hook, b"")[0] for _ in range(40)} == {202}
    wait_until(lambda: feeds.count("/feed") > before, "it was looked at")
    assert feeds.count("/feed") - before <= 5


def test_a_body_that_is_too_big_is_refused(house, feeds, hub):
    url = subscribed(house, feeds, hub)
    path = "/" + hub.subscribers[url]["hub.callback"].split("/", 3)[3]
    for target, size in ((path, 600 << 10), ("/healthz", 10000), ("/unsubscribe/x", 10000)):
        connection = http.client.HTTPConnection(house.web, timeout=20)
        try:
            connection.request("POST", target, b"x" * size)
            assert connection.getresponse().status == 413
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            connection.close()
