"""The main job: a blog's new post reaches its readers, each of them once."""

import os
import time

from feed import item, rss
from waiting import stays, wait_until

READERS = ("ann@example.org", "bob@example.org", "cy@example.net")


def test_a_post_saved_in_the_directory_reaches_every_reader_once(house, sink):
    house.news["content"] = "full"
    house.start()
    house.add(*READERS)
    house.write_post("hello.md", "Hello readers", "The *first* post of all.")
    sink.wait_for(3)
    house.wait_digest(sent=3, queued=0, state="done")
    assert sorted(sink.recipients()) == sorted(READERS)
    for entry in sink.accepted:
        mail = entry.mail.judge(to=entry.to)
        assert "Hello readers" in mail.subject
        assert "Hello readers" in mail.text
        assert "https://blog.example/hello/" in mail.html
        assert "https://blog.example/hello/" in mail.text
        assert "<em>first</em>" in mail.html
        assert mail["From"] == "The news list <news@example.org>"
    ids = {e.mail.message_id for e in sink.accepted}
    links = {e.mail.unsubscribe_url for e in sink.accepted}
    assert len(ids) == len(links) == 3, "what is each reader's own must differ"


def test_the_first_look_at_a_directory_mails_nothing(house, sink):
    house.write_post("old.md", "Old news")
    house.start()
    house.add(*READERS)
    house.write_post("new.md", "New news")
    sink.wait_for(3)
    assert all("New news" in e.mail.subject for e in sink.accepted)
    assert "Old news" not in sink.accepted[0].mail.text


def test_a_feeds_new_item_reaches_every_reader_once_and_its_past_nobody(house, sink, feeds):
    url = feeds.put("/feed.xml", rss(item("Old item", 1)))
    house.news["sources"] = [house.feed_of(url, interval="1h")]
    house.start()
    house.add(*READERS)
    feeds.put("/feed.xml", rss(item("New item & more", 2), item("Old item", 1)))
    assert house.ctl("poll").code == 0
    sink.wait_for(3)
    mail = sink.accepted[0].mail.judge()
    assert "New item & more" in mail.subject
    assert "Old item" not in mail.text
    assert "https://blog.example/2/" in mail.html
    house.ctl("poll")
    wait_until(lambda: feeds.count("/feed.xml") >= 3, "the feed was asked again")
    stays(lambda: len(sink.accepted) == 3, "nobody gets it twice", 1)


def test_an_unchanged_feed_is_asked_for_conditionally(house, feeds):
    house.news["sources"] = [house.feed_of(feeds.put("/f", rss(item("One", 1))))]
    house.start()
    house.ctl("poll")
    wait_until(lambda: feeds.count("/f", 304) == 1, "the second look is answered with 304")


def test_chinese_titles_and_authors_arrive_as_they_were(house, sink):
    title = "北京科技周报：大模型的新进展，以及我们从中学到的一切——第二百五十六期"
    house.news["title"] = "北京科技"
    house.news["from"] = "北京科技 <news@example.org>"
    house.start()
    house.add("li@example.org", name="李雷")
    house.write_post("zh.md", title, "今天我们讨论**人工智能**。", author="韩梅梅")
    (entry,) = sink.wait_for(1)
    mail = entry.mail.judge(to="li@example.org")
    assert title in mail.subject
    assert title in mail.html and title in mail.text
    assert "韩梅梅" in mail.html and "韩梅梅" in mail.text
    assert "人工智能" in mail.text
    assert mail.message["From"].addresses[0].display_name == "北京科技"
    assert mail.message["To"].addresses[0].display_name in ("", "李雷")


def test_a_half_written_file_is_not_mailed_until_it_is_closed(house, sink):
    house.start()
    house.add("ann@example.org")
    path = house.posts / "slow.md"
    with open(path, "w", encoding="utf-8") as file:
        file.write("---\ntitle: Written slowly\n---\n\nThe beginning")
        file.flush()
        os.fsync(file.fileno())
        house.ctl("poll")
        stays(lambda: not sink.accepted, "nothing is mailed while the file is open", 2)
        file.write(" and the end.\n")
    (entry,) = sink.wait_for(1)
    assert "The beginning and the end." in entry.mail.judge().text


def test_a_file_moved_into_the_directory_is_a_post_and_an_edit_is_none(house, sink):
    house.start()
    house.add("ann@example.org")
    made = house.write_post("m.md", "Moved in", folder=house.folder / "elsewhere")
    made.rename(house.posts / "m.md")
    sink.wait_for(1)
    house.write_post("m.md", "Moved in, and corrected")
    house.write_post("next.md", "The next one")
    assert "The next one" in sink.wait_for(2)[1].mail.subject


def test_a_draft_is_not_mailed_until_it_is_none(house, sink):
    house.start()
    house.add("ann@example.org")
    house.write_post("d.md", "Not yet", draft=True)
    house.write_post("other.md", "Ready")
    sink.wait_for(1)
    house.write_post("d.md", "Now it is")
    assert "Now it is" in sink.wait_for(2)[1].mail.subject


def test_the_way_from_a_saved_file_to_the_sink_is_short(house, sink):
    house.start()
    house.add("ann@example.org")
    began = time.time_ns()
    house.write_post("fast.md", "Fast")
    (entry,) = sink.wait_for(1)
    print(f"saved to sink: {(entry['wall_ns'] - began) / 1e6:.0f} ms")


def test_a_digest_by_hand_mails_what_waits_and_then_there_is_nothing(house, sink):
    house.news["schedule"] = "manual"
    house.start()
    house.add(*READERS)
    assert house.ctl("send", "news").code == 1, "nothing is pending yet"
    house.write_post("a.md", "Post A")
    house.write_post("b.md", "Post B")
    wait_until(lambda: len(house.ask("posts", "--pending")) == 2, "both posts are known")
    assert not sink.accepted
    done = house.ctl("send", "news", "--wait")
    assert done.code == 0, done
    assert len(sink.accepted) == 3, "--wait returns after the last delivery"
    mail = sink.accepted[0].mail.judge()
    assert "Post A" in mail.html and "Post B" in mail.html
    again = house.ctl("send", "news")
    assert again.code == 1 and (again.out + again.err).strip(), "nothing pending: it says so"
    assert len(sink.accepted) == 3


def test_a_dry_run_says_who_would_get_it_and_sends_nothing(house, sink):
    house.news["schedule"] = "manual"
    house.start()
    house.add(*READERS)
    house.write_post("a.md", "Post A")
    wait_until(lambda: house.ask("posts", "--pending"), "the post is known")
    done = house.ctl("send", "news", "--dry-run")
    assert done.code == 0, done
    for reader in READERS:
        assert reader in done.out
    assert not house.digests() and not sink.accepted
    assert len(house.ask("posts", "--pending")) == 1


def test_the_newest_posts_are_those_whose_time_has_come(house, sink):
    house.news["schedule"] = "manual"
    house.start()
    house.add("ann@example.org")
    house.write_post("now.md", "It is now")
    house.write_post("later.md", "Not before next century", date="2099-01-01T08:00:00Z")
    wait_until(lambda: len(house.ask("posts")) == 2, "both are known")
    assert house.ctl("send", "news", "--last", 5, "--wait").code == 0
    assert "Not before" not in sink.wait_for(1)[0].mail.html
    assert "It is now" in house.ctl("preview", "news", "--last", 5, "--html").out


def test_a_send_can_be_for_some_readers_and_of_old_posts(house, sink):
    house.news["schedule"] = "manual"
    house.write_post("old.md", "Old news")
    house.start()
    house.add(*READERS)
    done = house.ctl("send", "news", "--last", "1", "--to", "bob@example.org", "--wait")
    assert done.code == 0, done
    assert sink.recipients() == ["bob@example.org"]
    assert "Old news" in sink.accepted[0].mail.judge().subject


def test_what_the_sink_gets_is_what_preview_shows(house, sink):
    """Byte for byte, but for the date and the digest's number in the Message-ID."""
    house.start()
    house.add("ann@example.org", name="Ann Ångström")
    body = "\n\n".join(
        [".", "..dots at the start of lines", "x" * 3000, "trailing space  ", "\tTab", "From here on"]
    )
    house.write_post("b.md", "Bytes: “quoted” & <escaped>", body)
    (entry,) = sink.wait_for(1)
    entry.mail.judge()
    shown = house.folder / "shown.eml"
    done = house.ctl("preview", "news", "--for", "ann@example.org", "--last", 1, "--eml", "-o", shown)
    assert done.code == 0, done

    def comparable(raw):
        head, text = raw.split(b"\r\n\r\n", 1)
        lines = [l for l in head.split(b"\r\n") if not l.lower().startswith((b"date:", b"message-id:"))]
        return lines, text

    assert comparable(entry.raw) == comparable(shown.read_bytes())
