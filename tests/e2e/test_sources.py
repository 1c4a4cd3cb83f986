"""Blogs that are ill."""

import datetime
import json
import signal

import pytest

from feed import item, rss, wordpress_post
from waiting import stays, wait_until


def failing(house, kind="feed"):
    def look():
        source = house.source(kind)
        return source if source["state"] == "failing" else None

    return wait_until(look, "the source is marked as failing")


@pytest.mark.parametrize(
    "body, status",
    [("<html><p>no feed</p></html>", 200), ("gone wrong", 500), ("", 404), ("\0\1\2" * 100, 200)],
)
def test_a_broken_feed_is_marked_and_the_others_go_on(house, sink, feeds, body, status):
    url = feeds.put("/broken", body, "text/html", status)
    house.news["sources"].append(house.feed_of(url, interval="1m"))
    house.start()
    house.add("ann@example.org")
    source = failing(house)
    assert source["error"].strip()
    house.write_post("a.md", "From the directory")
    sink.wait_for(1)
    listed = house.ctl("sources")
    assert listed.code == 0 and url in listed.out
    feeds.put("/broken", rss(item("Healed", 1)))
    house.ctl("poll", url)
    wait_until(lambda: house.source("feed")["state"] == "ok", "it is well again")


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_pauses_grow_while_a_feed_is_broken(house, feeds):
    url = feeds.put("/broken", "x", status=503)
    house.news["sources"] = [house.feed_of(url, interval="1m")]
    house.start()
    pauses = []
    for n in range(1, 5):
        wait_until(lambda: failing(house)["failures"] == n, f"{n} failures")
        (source,) = house.status()["sources_in_trouble"]
        pauses.append(seconds(source["next_at"]) - seconds(source["checked_at"]))
        house.ctl("poll", url)
    assert pauses[-1] > 2 * pauses[0], pauses


def test_a_server_that_is_not_there_is_a_failing_source(house, feeds):
    feeds.stop()
    house.news["sources"] = [house.feed_of(feeds.base + "/feed")]
    house.start()
    assert failing(house)["error"]


def test_a_directory_that_does_not_exist_yet(house, sink):
    late = house.folder / "late"
    house.news["sources"] = [{"directory": late, "url": "https://blog.example/"}]
    house.start()
    assert failing(house, "directory")["error"]
    late.mkdir()
    house.ctl("poll")
    wait_until(lambda: house.source()["state"] == "ok", "it is well")
    house.add("ann@example.org")
    house.write_post("a.md", "First", folder=late)
    sink.wait_for(1)


def test_a_post_with_broken_front_matter_does_not_stop_the_others(house, sink):
    house.start()
    house.add("ann@example.org")
    (house.posts / "bad.md").write_text("---\ntitle: [unclosed\n---\n\nx\n")
    (house.posts / "bad2.md").write_bytes(b"---\ntitle: x\n---\n\xff\xfe\n")
    house.write_post("good.md", "Good")
    (entry,) = sink.wait_for(1)
    assert "Good" in entry.mail.judge().subject


def test_a_directory_s_pattern_makes_the_links_of_its_posts(house, sink):
    house.news["sources"][0]["permalink"] = "/:year/:month/:slug/"
    house.start()
    house.add("ann@example.org")
    house.write_post("notes/2026-11-24-hello.md", "Hello", slug="a-good-day")
    (entry,) = sink.wait_for(1)
    mail = entry.mail.judge()
    link = "https://blog.example/2026/11/a-good-day/"
    assert f'href="{link}"' in mail.html and link in mail.text
    house.news["sources"][0]["permalink"] = "/:section/:filename.html"
    house.write_config()
    house.signal(signal.SIGHUP)
    house.wait_log("configuration reloaded")
    house.write_post("notes/second.md", "Second")
    mail = sink.wait_for(2)[1].mail.judge()
    assert 'href="https://blog.example/notes/second.html"' in mail.html
    assert house.ask("posts")[0]["title"] == "Hello" and len(house.ask("posts")) == 2


def test_what_could_hurt_a_reader_is_gone(house, sink):
    house.news["content"] = "full"
    house.start()
    house.add("ann@example.org")
    house.write_post(
        "evil.md",
        "Evil <script>alert(1)</script>",
        "Hello <script>alert(1)</script><img src='x.png' onerror='alert(1)'>"
        "<a href='javascript:alert(1)'>click</a> <a href='/rel'>here</a>\n\n<form><input></form>",
    )
    (entry,) = sink.wait_for(1)
    html = entry.mail.judge().html
    assert "<script" not in html and "onerror" not in html and "javascript:" not in html
    assert "<input" not in html
    assert 'href="https://blog.example/rel"' in html


def test_a_feed_on_this_machine_is_asked_only_if_it_may_be(house, feeds):
    url = feeds.put("/feed", rss(item("One", 1)))
    house.news["sources"] = [{"feed": url}]
    house.start()
    assert "allow_private = true" in failing(house)["error"]
    assert feeds.count("/feed") == 0
    house.news["sources"] = [house.feed_of(url)]
    house.write_config()
    house.signal(signal.SIGHUP)
    wait_until(lambda: house.source("feed")["state"] == "ok", "it is well")


def test_a_feed_that_moved_for_good_is_asked_there_from_now_on(house, feeds):
    feeds.put("/new", rss(item("One", 1)))
    old = feeds.put("/old", "", status=301, Location="/new")
    house.news["sources"] = [house.feed_of(old)]
    house.start()
    assert house.source("feed")["moved_to"] == feeds.base + "/new"
    house.restart()
    house.ctl("poll")
    wait_until(lambda: feeds.count("/new") >= 3, "it was asked at the new place")
    assert feeds.count("/old") == 1


def test_a_feed_that_is_gone_is_left_alone(house, feeds):
    url = feeds.put("/gone", "", status=410)
    house.news["sources"] = [house.feed_of(url, interval="1s")]
    house.start()
    assert house.source("feed")["state"] == "gone"
    (source,) = house.status()["sources_in_trouble"]
    assert source["failing_since"] and source["next_at"] is None
    stays(lambda: feeds.count("/gone") == 1, "nobody asks again", 2)
    feeds.put("/gone", rss(item("Back", 1)))
    house.ctl("poll")
    wait_until(lambda: house.source("feed")["state"] == "ok", "it is back")


def test_a_feed_that_renames_all_its_posts_does_not_mail_its_past(house, sink, feeds):
    url = feeds.put("/feed", rss(*(item(f"Post {n}", n) for n in range(1, 6))))
    house.news["sources"] = [house.feed_of(url)]
    house.start()
    house.add("ann@example.org")
    renamed = [item(f"Renamed {n}", n).replace("/blog.example/", "/new.example/p") for n in range(1, 6)]
    renamed = [text.replace("post-", "other-") for text in renamed]
    feeds.put("/feed", rss(item("News", 30), *renamed))
    house.ctl("poll")
    sink.wait_for(1)
    stays(lambda: len(sink.accepted) == 1, "nothing else is mailed", 1)
    assert "News" in sink.accepted[0].mail.subject
    assert house.source("feed")["held"] == 5
    held = house.ask("posts", "--held")
    assert [p["title"] for p in held] == [f"Renamed {n}" for n in range(1, 6)]
    assert house.ctl("send", "news", "--post", held[0]["id"]).code == 0
    sink.wait_for(2)


def test_a_post_is_mailed_once_whatever_becomes_of_its_address(house, sink, feeds):
    url = feeds.put("/feed", rss(item("Old", 1)))
    house.news["sources"] = [house.feed_of(url)]
    house.start()
    house.add("ann@example.org")
    feeds.put("/feed", rss(item("News", 2), item("Old", 1)))
    house.ctl("poll")
    sink.wait_for(1)
    other = item("News, mended", 2).replace("https://blog.example/2/", "http://www.blog.example/2")
    feeds.put("/feed", rss(other.replace("post-2", "another"), item("Old", 1)))
    house.ctl("poll")
    wait_until(lambda: house.ask("posts")[-1]["title"] == "News, mended", "the edit is known")
    stays(lambda: len(sink.accepted) == 1, "it is not mailed again", 1)


def test_a_post_in_two_feeds_of_a_list_is_mailed_once(house, sink, feeds):
    urls = [feeds.put(path, rss(item("Old", 1))) for path in ("/feed", "/lab/feed")]
    house.news["sources"] = [house.feed_of(url) for url in urls]
    house.start()
    house.add("ann@example.org")
    feeds.put("/feed", rss(item("Shared", 2), item("Old", 1)))
    feeds.put("/lab/feed", rss(item("Lab", 3), item("Shared", 2), item("Old", 1)))
    house.ctl("poll")
    sink.wait_for(2)
    stays(lambda: len(sink.accepted) == 2, "nothing is mailed twice", 1)
    assert sorted(entry.mail.subject for entry in sink.accepted) == ["Lab", "Shared"]
    assert [post["title"] for post in house.ask("posts")] == ["Old", "Shared", "Lab"]


def test_a_file_that_is_gone_before_its_post_is_mailed_is_not_mailed(house, sink):
    house.news["schedule"] = "manual"
    house.start()
    house.add("ann@example.org")

    def waits_for(*titles):
        wait_until(
            lambda: sorted(p["title"] for p in house.ask("posts", "--pending")) == list(titles),
            f"{titles} are pending",
        )

    removed = house.write_post("removed.md", "Removed")
    house.write_post("draft.md", "Draft")
    good = house.write_post("good.md", "Good")
    waits_for("Draft", "Good", "Removed")
    removed.unlink()
    house.write_post("draft.md", "Draft", draft=True)
    waits_for("Good")
    house.wait_log("posts withdrawn")
    house.write_post("removed.md", "Removed")
    waits_for("Good", "Removed")
    house.stop()
    removed.unlink()
    house.start()
    waits_for("Good")
    house.write_post("draft.md", "Draft")
    waits_for("Draft", "Good")
    good.rename(good.with_name("better.md"))
    wait_until(lambda: "better.md" in str(house.ask("posts", "--pending")), "its new name is known")
    waits_for("Draft", "Good")
    assert house.ctl("send", "news").code == 0
    mail = sink.wait_for(1)[0].mail.judge()
    assert "Good" in mail.text and "Draft" in mail.text and "Removed" not in mail.text


def test_the_feed_of_a_page_is_found(house, feeds):
    feeds.put("/feed.xml", rss(item("One", 1)))
    link = '<link rel="alternate" type="application/rss+xml" href="/feed.xml">'
    url = feeds.put("/blog", f"<!doctype html><html><head>{link}</head>", "text/html")
    house.news["sources"] = [house.feed_of(url)]
    house.start()
    assert house.source("feed")["state"] == "ok"
    assert house.source("feed")["moved_to"] == feeds.base + "/feed.xml"
    shown = house.ctl("--json", "parse", url)
    assert [p["title"] for p in shown.json()] == ["One"] and "/feed.xml" in shown.err


API = "/wp-json/wp/v2/posts"


def test_a_wordpress_is_mailed_without_its_private_posts(house, sink, feeds):
    def show(*posts):
        feeds.put(API, json.dumps(posts), "application/json")

    show(wordpress_post("Old", 1))
    house.news["sources"] = [
        {"wordpress": feeds.base + "/", "categories": ["science"], "allow_private": True}
    ]
    house.start()
    assert house.source("wordpress")["state"] == "ok"
    house.add("ann@example.org")
    protected = {"rendered": "<p>hidden</p>", "protected": True}
    other = [[{"taxonomy": "category", "name": "Cooking"}]]
    show(
        wordpress_post("News &amp; more", 2),
        wordpress_post("Hidden", 3, content=protected),
        wordpress_post("Private", 4, status="private"),
        wordpress_post("Soup", 5, _embedded={"wp:term": other}),
        wordpress_post("Old", 1),
    )
    house.ctl("poll")
    (entry,) = sink.wait_for(1)
    mail = entry.mail.judge()
    assert "News & more" in mail.subject
    assert "https://blog.example/2/image.png" in mail.html and "[…]" not in mail.html
    stays(lambda: len(sink.accepted) == 1, "nothing else is mailed", 1)


def test_a_wordpress_without_pretty_links_and_what_is_none(house, feeds):
    posts = json.dumps([wordpress_post("One", 1)])
    feeds.put("/", posts, "application/json")
    house.news["sources"] = [{"wordpress": feeds.base, "allow_private": True}]
    house.start()
    assert "?rest_route=/wp/v2/posts" in house.source("wordpress")["moved_to"]
    feeds.put("/", "<!doctype html><p>Hello")
    house.ctl("poll")
    error = wait_until(lambda: house.source("wordpress")["error"], "it fails")
    assert f'feed = "{feeds.base}/feed/"' in error


def test_a_feed_that_never_ends_is_cut_off(house, feeds):
    huge = rss(item("x", 1)) + " " * (40 << 20)
    house.news["sources"] = [house.feed_of(feeds.put("/huge", huge))]
    house.start()
    assert failing(house)["error"]
    stays(lambda: house.ctl("status").code == 0, "the daemon answers", 0.5)
