from test_hostile import *
def test_it(make_house, sink, feeds):
    house = make_house(sink.port, RELEASE)
    url = feeds.put("/feed", "<rss><channel></channel></rss>")
    house.news["sources"] = [house.feed_of(url, interval="1h")]
    house.start()
    make, coding = BOMBS["gzip-bomb"]
    feeds.put("/feed", make(), "text/xml", **{"Content-Encoding": coding})
    before = feeds.count("/feed", 200)
    t=time.time()
    house.ctl("poll", url)
    for i in range(25):
        s=house.source("feed"); print(round(time.time()-t,3), feeds.count("/feed",200)-before, s["state"], s["error"])
    print(house.log)
