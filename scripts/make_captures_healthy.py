"""Sample captures in which nothing failed: the rows of "Never a failure", and slow or damaged looking health."""

from __future__ import annotations

from scripts.make_captures_scene import Scene, answer, filler, get, head, post, sample


@sample("healthy-probes.pcap")
def probes(scene: Scene) -> None:
    """Health checks that connect and close, either way and either side, a port scan, pool connections never used."""
    for number, end in enumerate(("fin", "rst", "server fin", "half-open", "late reset"), 1):
        c = scene.upstream(number)
        c.client.syn()
        c.server.syn_ack()
        if end == "half-open":
            c.client.reset(bare=True)
            continue
        c.client.ack()
        if end == "fin":
            scene.close(c)
        elif end == "rst":
            c.client.reset()
        elif end == "server fin":
            scene.sleep(0.3)
            c.server.fin()
            c.client.fin()
            c.server.ack()
        else:
            scene.sleep(4)
            c.server.reset()
        scene.sleep(0.8)
    scene.opened(9)
    scene.sleep(2)


@sample("healthy-closes.pcap")
def closes(scene: Scene) -> None:
    """Idle connections that end by FIN or RST of either side, a RST after the FIN, keep-alive probes in between."""
    for number, end in enumerate(("gateway", "upstream", "rst", "fin rst", "at once"), 1):
        c = scene.opened(number)
        scene.serve(c, f"/{number}")
        if end == "at once":
            c.server.fin()
            c.client.fin()
            c.server.ack()
            continue
        scene.sleep(15)
        c.client.keep_alive()
        c.server.ack()
        scene.sleep(1.2)
        if end == "gateway":
            scene.close(c)
        elif end == "upstream":
            c.server.fin()
            c.client.fin()
            c.server.ack()
        elif end == "rst":
            c.server.reset()
        else:
            c.server.fin()
            c.client.reset()


@sample("healthy-no-length.pcap")
def no_length(scene: Scene) -> None:
    """Responses that are complete without a length: HEAD, 204, 304, 100 and 103 before 200, ended by FIN, 101."""
    c = scene.opened()
    for request, response in (
        (get("/a", "HEAD"), head(extra="Content-Length: 5000\r\n")),
        (get("/b", "DELETE"), head("204 No Content")),
        (get("/c"), head("304 Not Modified", 'ETag: "7"\r\nContent-Length: 800\r\n')),
        (get("/d"), head("103 Early Hints", "Link: </s.css>; rel=preload\r\n") + answer(20)),
    ):
        c.client.send(request)
        c.server.ack()
        scene.sleep(0.002)
        c.server.send(response)
        c.client.ack()
    c.client.send(post("/e", 300, "Expect: 100-continue\r\n"))
    c.server.send(head("100 Continue"))
    c.client.send(filler(300))
    c.server.send(answer(40))
    c.client.ack()
    c.client.send(get("/f"))
    c.server.ack()
    c.server.send(head(extra="Connection: close\r\n") + filler(1000))
    c.server.fin()
    c.client.fin()
    c.server.ack()
    socket = scene.opened(2)
    socket.client.send(get("/ws", extra="Connection: Upgrade\r\nUpgrade: websocket\r\n"))
    socket.server.ack()
    socket.server.send(head("101 Switching Protocols", "Connection: Upgrade\r\nUpgrade: websocket\r\n"))
    socket.client.send(b"\x81\x85\x01\x02\x03\x04igohj")
    socket.server.send(b"\x81\x05hello")
    socket.client.ack()
    scene.sleep(70)
    socket.server.reset()


@sample("healthy-deferred-accept.pcap")
def deferred_accept(scene: Scene) -> None:
    """The upstream repeats its SYN-ACK until the request comes (deferred accept), and answers."""
    c = scene.opened()
    scene.sleep(1.0)
    c.server.syn_ack()
    c.client.ack()
    scene.sleep(0.9)
    scene.serve(c, "/late")
    scene.close(c)


@sample("healthy-lossy.pcap")
def lossy(scene: Scene) -> None:
    """SYN, request, parts of the response and the FIN are lost or overtaken, and everything arrives in the end."""
    c = scene.upstream()
    c.client.syn(lost=True)
    scene.sleep(1.02)
    c.client.syn()
    c.server.syn_ack()
    c.client.ack()
    request = c.client.send(get("/big"), lost=True)
    scene.sleep(0.21)
    c.client.retransmit(request)
    c.server.ack()
    scene.sleep(0.02)
    c.server.send(head(extra="Content-Length: 8688\r\n"))
    c.client.ack()
    body = filler(8688)
    pieces = [body[start : start + 1448] for start in range(0, len(body), 1448)]
    c.server.send(pieces[0])
    gone = c.server.send(pieces[1], lost=True)
    for piece in pieces[2:4]:
        c.server.send(piece)
        c.client.ack()
    c.server.retransmit(gone)
    c.client.ack()
    c.server.send(pieces[5], seq=c.server.seq + 1448)
    c.client.ack()
    c.server.send(pieces[4])
    c.server.seq += 1448
    c.client.ack()
    scene.serve(c, "/next")
    fin = c.server.fin(lost=True)
    scene.sleep(0.25)
    c.server.retransmit(fin)
    c.client.fin()
    c.server.ack()


@sample("healthy-slow.pcap")
def slow(scene: Scene) -> None:
    """An answer after 61 s and an event stream that is silent for 3 minutes: waiting alone is no failure."""
    c = scene.opened(1)
    c.client.send(get("/export"))
    c.server.ack()
    events = scene.opened(2)
    events.client.send(get("/events"))
    events.server.ack()
    events.server.send(head(extra="Content-Type: text/event-stream\r\n") + b"data: 1\n\n")
    events.client.ack()
    scene.sleep(61)
    c.server.send(answer(700))
    c.client.ack()
    scene.sleep(180)
    events.server.send(b"data: 2\n\n")
    events.client.ack()
    events.client.fin()
    events.server.fin()
    events.client.ack()


@sample("healthy-tolerated.pcap")
def tolerated(scene: Scene) -> None:
    """A space in a field name that the gateway put up with: it goes on using the connection, so an oddity only."""
    c = scene.opened()
    c.client.send(get("/odd"))
    c.server.ack()
    c.server.send(head(extra="X Bad: 1\r\nContent-Length: 2\r\n") + b"ok")
    c.client.ack()
    scene.sleep(0.1)
    scene.serve(c, "/next")
    scene.close(c)


@sample("healthy-early-response.pcap")
def early_response(scene: Scene) -> None:
    """The upstream answers 413 before it has the whole upload and then resets: the gateway has its response."""
    c = scene.opened()
    c.client.send(post("/upload", 500_000))
    c.client.send(filler(11_584), mss=1448)
    c.server.ack()
    c.server.send(answer(60, "413 Content Too Large", "Connection: close\r\n"))
    c.server.fin()
    c.client.send(filler(2896), mss=1448)
    c.server.reset(bare=True)
    c.client.fin(lost=True)


@sample("healthy-missed-packets.pcap")
def missed_packets(scene: Scene) -> None:
    """The capture missed a part of a body and a whole response; the acknowledgements show that they arrived."""
    c = scene.opened()
    c.client.send(get("/big"))
    c.server.ack()
    c.server.send(head(extra="Content-Length: 14480\r\n"))
    c.server.send(filler(5792), mss=1448)
    c.server.send(filler(4344), mss=1448, drop=True)
    c.server.send(filler(4344), mss=1448)
    c.client.ack()
    scene.serve(c, "/between")
    c.client.send(get("/missed"))
    c.server.ack(drop=True)
    c.server.send(answer(900), drop=True)
    c.client.ack()
    scene.serve(c, "/after")
    scene.close(c)


@sample("healthy-ignored-reset.pcap")
def ignored_reset(scene: Scene) -> None:
    """A reset far outside the window, which its receiver ignored, and one without ACK that answers a SYN."""
    c = scene.upstream()
    c.client.syn()
    c.server.segment("R", seq=12345)
    scene.sleep(1.0)
    c.client.syn()
    c.server.syn_ack()
    c.client.ack()
    c.client.send(get("/file"))
    c.server.ack()
    c.server.send(head(extra="Content-Length: 2896\r\n"))
    c.server.segment("R", seq=c.server.seq + 900_000_000, ttl=51)
    c.server.send(filler(1448))
    c.client.ack()
    c.server.send(filler(1448))
    c.client.ack()
    scene.serve(c, "/more")
    scene.close(c)


@sample("masked-happy-eyeballs.pcap")
def happy_eyeballs(scene: Scene) -> None:
    """The IPv6 address refuses, the IPv4 one of the same upstream is taken within 300 ms: the client saw nothing."""
    six = scene.connection("[2001:db8:1::2]:41001", "[2001:db8:2::2]:8080")
    six.client.syn()
    refusal = six.server.reset()
    scene.sleep(0.02)
    c = scene.opened(2)
    scene.serve(c, "/")
    scene.close(c)
    scene.failure("connect_refused", refusal, "upstream", "refused over IPv6, then IPv4 success within 300 ms: masked",
                  masked=True, confidence=["high", "medium", "low"])  # fmt: skip


@sample("open-at-the-end.pcap")
def open_at_the_end(scene: Scene) -> None:
    """The capture ends 2 s into a request and in the middle of a download: nothing can be said."""
    c = scene.opened(1)
    c.client.send(get("/pending"))
    c.server.ack()
    d = scene.opened(2)
    d.client.send(get("/download"))
    d.server.ack()
    d.server.send(head(extra="Content-Length: 100000\r\n"))
    scene.sleep(2)
    d.server.send(filler(2896), mss=1448)
    d.client.ack()
    scene.truth.open = 2
