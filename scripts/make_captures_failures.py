"""Sample captures: each failure kind once, in its plainest form.

This module is long because it has one conversation for each kind, and they share nothing but the gateway.
"""

from __future__ import annotations

from scripts.make_captures_scene import Scene, answer, filler, get, head, post, sample


@sample("reset-before-response.pcapng", link="sll2", nanoseconds=True)
def reset_before_response(scene: Scene) -> None:
    """The upstream resets the connection instead of answering; seen with `-i any`, so the client's 502 is there too."""
    client = scene.connection("10.0.0.9:50110", "10.0.0.2:80", local="server", rtt=0.018)
    client.handshake()
    pool = scene.upstream(1)

    client.client.send(b"GET / HTTP/1.1\r\nHost: shop.example\r\nAccept: */*\r\n\r\n")
    client.server.ack()
    pool.handshake()
    scene.serve(pool, "/")
    client.server.send(answer(300))
    client.client.ack()

    scene.sleep(0.412)
    client.client.send(b"GET /cart HTTP/1.1\r\nHost: shop.example\r\nAccept: */*\r\n\r\n")
    client.server.ack()
    pool.client.send(get("/cart"))
    pool.server.ack()
    scene.sleep(0.009)
    reset = pool.server.reset()
    scene.sleep(0.0004)
    page = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"
    bad_gateway = f"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n\r\n".encode()
    client.server.send(bad_gateway + page)
    client.client.ack()
    scene.failure("rst_before_response", reset, "upstream", "whole request delivered, not one octet of a response, RST",
                  target="/cart")  # fmt: skip

    scene.sleep(2.3)
    again = scene.upstream(2)
    client.client.send(b"GET /cart HTTP/1.1\r\nHost: shop.example\r\nAccept: */*\r\n\r\n")
    client.server.ack()
    again.handshake()
    scene.serve(again, "/cart", body=2200)
    client.server.send(answer(2200), mss=1448)
    client.client.ack()


@sample("connect-refused.pcap")
def connect_refused(scene: Scene) -> None:
    """Nothing listens on the upstream's port."""
    c = scene.upstream()
    c.client.syn()
    refusal = c.server.reset()
    scene.failure("connect_refused", refusal, "upstream", "SYN answered by RST,ACK with ack = ISN + 1")


@sample("connect-timeout.pcap")
def connect_timeout(scene: Scene) -> None:
    """The upstream answers one connection and then no SYN any more; the connect deadline (10 s) passes."""
    well = scene.opened(1)
    scene.serve(well, "/health")
    silent = scene.upstream(2)
    silent.client.syn(at=2.0)
    silent.client.syn(at=3.01)
    silent.client.syn(at=5.03)
    last = silent.client.syn(at=9.06)
    scene.sleep(4.2)
    other = scene.connection("10.1.0.2:43000", "10.2.0.3:8080")
    other.handshake()
    scene.serve(other, "/elsewhere")
    scene.failure("connect_timeout", last, "upstream",
                  "no answer when the deadline passes: the last SYN; a neighbour to the same endpoint was answered",
                  confidence=["high", "medium", "low"])  # fmt: skip


@sample("connect-unreachable.pcap")
def connect_unreachable(scene: Scene) -> None:
    """A router has no way to the upstream; in another attempt the upstream's address is not resolved."""
    well = scene.connection("10.1.0.2:40900", "10.1.0.77:8080")
    well.handshake()
    scene.serve(well, "/before")
    scene.close(well)
    scene.sleep(0.5)
    c = scene.upstream()
    syn = c.client.syn()
    scene.sleep(0.003)
    error = scene.icmp_unreachable("10.1.0.1", syn, code=1)
    scene.failure("connect_unreachable", error, "network", "ICMP host unreachable that quotes the SYN")
    scene.sleep(90)
    for second in (100.0, 101.0, 102.0):
        last = scene.arp_request("10.1.0.2", "10.1.0.77", at=second)
    scene.sleep(15)
    other = scene.connection("10.1.0.2:43000", "10.2.0.3:8080")
    other.handshake()
    scene.serve(other, "/elsewhere")
    scene.failure("connect_unreachable", last, "network|gateway",
                  "ARP for an upstream unanswered, no SYN follows: last request; the error is the gateway's own",
                  confidence=["high", "medium", "low"])  # fmt: skip


@sample("rst-mid-request.pcap")
def rst_mid_request(scene: Scene) -> None:
    """The upstream resets in the middle of an upload, with data in flight."""
    c = scene.opened()
    c.client.send(post("/upload", 40_000))
    c.client.send(filler(5792), mss=1448)
    c.server.ack()
    c.client.send(filler(5792), mss=1448)
    reset = c.server.reset(ack=c.server.expected - 5792)
    scene.failure("rst_mid_request", reset, "upstream", "the RST acknowledges a part of the request only",
                  target="/upload")  # fmt: skip


@sample("fin-mid-request.pcap")
def fin_mid_request(scene: Scene) -> None:
    """The upstream closes in the middle of an upload, without an answer."""
    c = scene.opened()
    c.client.send(post("/upload", 40_000))
    c.client.send(filler(5792), mss=1448)
    c.server.ack()
    c.client.send(filler(2896), mss=1448)
    fin = c.server.fin(ack=c.server.expected - 2896)
    c.client.ack()
    c.server.reset()
    scene.failure("fin_mid_request", fin, "upstream", "the FIN acknowledges a part of the request only",
                  target="/upload")  # fmt: skip


@sample("stall-mid-request.pcap")
def stall_mid_request(scene: Scene) -> None:
    """The upstream stops reading an upload (zero window) until the gateway gives up after a minute."""
    c = scene.opened()
    c.client.send(post("/upload", 40_000))
    c.client.send(filler(11_584), mss=1448)
    full = c.server.ack(window=0)
    began = (scene.clock_ns - scene.start_ns) / 1e9
    for after in (0.2, 0.6, 1.4, 3.0, 6.2, 12.6, 25.4, 51.0):
        c.client.keep_alive(at=began + after)
        c.server.ack(window=0)
    c.client.fin(at=began + 60.004)
    c.server.ack(window=0)
    scene.failure("stall_mid_request", full, "upstream", "the upstream stops taking data: last progress",
                  target="/upload")  # fmt: skip


@sample("fin-before-response.pcap")
def fin_before_response(scene: Scene) -> None:
    """The upstream takes the request and closes without a word."""
    c = scene.opened()
    c.client.send(get("/orders/7"))
    c.server.ack()
    scene.sleep(0.031)
    fin = c.server.fin()
    c.client.fin()
    c.server.ack()
    scene.failure("fin_before_response", fin, "upstream", "whole request delivered, no octet of a response, FIN",
                  target="/orders/7")  # fmt: skip


@sample("stall-before-response.pcap")
def stall_before_response(scene: Scene) -> None:
    """The upstream takes the request and stays silent until the gateway's time limit of 60 s."""
    c = scene.opened()
    request = c.client.send(get("/report?year=2026"))
    c.server.ack()
    sent = (scene.frames[request - 1].time_ns - scene.start_ns) / 1e9
    c.client.fin(at=sent + 60.003)
    c.server.ack()
    scene.sleep(3.1)
    c.server.send(answer(90))
    c.client.reset(bare=True)
    scene.failure("stall_before_response", request, "upstream",
                  "the gateway closes at a round minute of silence: last frame of the request",
                  target="/report?year=2026")  # fmt: skip


@sample("rst-mid-headers.pcap")
def rst_mid_headers(scene: Scene) -> None:
    """The upstream dies while it writes the head of the response."""
    c = scene.opened()
    c.client.send(get("/profile"))
    c.server.ack()
    scene.sleep(0.012)
    c.server.send(b"HTTP/1.1 200 OK\r\nServer: app/3.1\r\nContent-Ty")
    c.client.ack()
    scene.sleep(0.002)
    reset = c.server.reset()
    scene.failure("rst_mid_headers", reset, "upstream", "some octets of the head, never its end, RST",
                  target="/profile")  # fmt: skip


@sample("fin-mid-headers.pcap")
def fin_mid_headers(scene: Scene) -> None:
    """A script ends after printing half of the head of the response."""
    c = scene.opened()
    c.client.send(get("/cgi-bin/list"))
    c.server.ack()
    scene.sleep(0.02)
    c.server.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n")
    c.client.ack()
    fin = c.server.fin()
    c.client.fin()
    c.server.ack()
    scene.failure("fin_mid_headers", fin, "upstream", "some octets of the head, never its end, FIN",
                  target="/cgi-bin/list")  # fmt: skip


@sample("stall-mid-headers.pcap")
def stall_mid_headers(scene: Scene) -> None:
    """The head of the response stops half-way and the gateway gives up after 30 s."""
    c = scene.opened()
    c.client.send(get("/slow-head"))
    c.server.ack()
    scene.sleep(0.02)
    part = c.server.send(b"HTTP/1.1 200 OK\r\nServer: app/3.1\r\n")
    c.client.ack()
    moment = (scene.frames[part - 1].time_ns - scene.start_ns) / 1e9
    c.client.fin(at=moment + 30.006)
    c.server.ack()
    scene.failure("stall_mid_headers", part, "upstream", "silence inside the head: last frame of response data",
                  target="/slow-head")  # fmt: skip


@sample("rst-mid-body.pcap")
def rst_mid_body(scene: Scene) -> None:
    """The upstream resets in the middle of a download of known length."""
    c = scene.opened()
    c.client.send(get("/files/a.zip"))
    c.server.ack()
    scene.sleep(0.004)
    c.server.send(head(extra="Content-Length: 65536\r\n"))
    c.server.send(filler(11_584), mss=1448)
    c.client.ack()
    reset = c.server.reset()
    scene.failure("rst_mid_body", reset, "upstream", "short of Content-Length, RST", target="/files/a.zip")


@sample("fin-mid-body.pcap")
def fin_mid_body(scene: Scene) -> None:
    """A chunked response ends without its last chunk; the client may never notice."""
    c = scene.opened()
    c.client.send(get("/feed"))
    c.server.ack()
    scene.sleep(0.004)
    c.server.send(head(extra="Transfer-Encoding: chunked\r\n"))
    c.client.ack()
    for _ in range(3):
        scene.sleep(0.05)
        c.server.send(b"200\r\n" + filler(512) + b"\r\n")
        c.client.ack()
    fin = c.server.fin()
    c.client.fin()
    c.server.ack()
    scene.failure("fin_mid_body", fin, "upstream", "without the last chunk, FIN", target="/feed")


@sample("stall-mid-body.pcap")
def stall_mid_body(scene: Scene) -> None:
    """A download of known length stops and the gateway gives up after 60 s."""
    c = scene.opened()
    c.client.send(get("/files/b.iso"))
    c.server.ack()
    scene.sleep(0.004)
    c.server.send(head(extra="Content-Length: 400000\r\n"))
    last = c.server.send(filler(14_480), mss=1448)[-1]
    c.client.ack()
    moment = (scene.frames[last - 1].time_ns - scene.start_ns) / 1e9
    c.client.reset(at=moment + 60.011)
    scene.failure("stall_mid_body", last, "upstream", "silence inside the body: last frame of response data",
                  target="/files/b.iso")  # fmt: skip


@sample("stale-keepalive.pcap")
def stale_keepalive(scene: Scene) -> None:
    """A request on a reused connection crosses the upstream's idle close on the wire."""
    c = scene.opened()
    scene.serve(c, "/first")
    scene.sleep(5.0)
    fin = c.server.fin(lost=True)
    c.client.send(get("/second"))
    c.client.receive(c.server.seq - 1, c.server.seq, 0)
    c.client.ack()
    c.server.reset(bare=True)
    scene.failure("stale_keepalive", fin, "upstream", "the FIN acknowledges nothing of the request: it came first",
                  target="/second")  # fmt: skip


@sample("invalid-status-line.pcap")
def invalid_status_line(scene: Scene) -> None:
    """The answer begins like a status line and is none; the illegal octet is in its second segment."""
    c = scene.opened()
    c.client.send(get("/legacy"))
    c.server.ack()
    scene.sleep(0.003)
    c.server.send(b"HT")
    illegal = c.server.send(b"P/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    c.client.ack()
    c.client.reset()
    scene.failure("invalid_status_line", illegal, "upstream", "the frame with the first illegal octet",
                  target="/legacy")  # fmt: skip


@sample("invalid-header.pcap")
def invalid_header(scene: Scene) -> None:
    """A NUL in the name of a header field, in the second segment of the head; the gateway hangs up."""
    c = scene.opened()
    c.client.send(get("/report"))
    c.server.ack()
    scene.sleep(0.003)
    c.server.send(b"HTTP/1.1 200 OK\r\nServer: app/3.1\r\n")
    illegal = c.server.send(b"X-Bad\x00Name: 1\r\nContent-Length: 2\r\n\r\nok")
    c.client.ack()
    c.client.reset()
    scene.failure("invalid_header", illegal, "upstream", "the frame with the octet that RFC 9112 section 5 forbids",
                  target="/report")  # fmt: skip


@sample("header-too-large.pcap")
def header_too_large(scene: Scene) -> None:
    """The head of the response outgrows the gateway's buffer and the gateway hangs up in the middle of it."""
    c = scene.opened()
    c.client.send(get("/login"))
    c.server.ack()
    scene.sleep(0.003)
    cookies = "".join(f"Set-Cookie: session{number}={'x' * 220}; Path=/\r\n" for number in range(40)).encode()
    whole = b"HTTP/1.1 200 OK\r\nServer: app/3.1\r\n" + cookies + b"Content-Length: 2\r\n\r\nok"
    last = c.server.send(whole[:5792], mss=1448)[-1]
    c.client.ack()
    c.client.fin()
    c.server.reset()
    scene.failure("header_too_large", last, "upstream",
                  "4096 octets of head or more, the gateway closes within 1 s: last response frame",
                  target="/login")  # fmt: skip


@sample("invalid-chunk.pcap")
def invalid_chunk(scene: Scene) -> None:
    """A chunk size that is no number; the gateway hangs up."""
    c = scene.opened()
    c.client.send(get("/stream"))
    c.server.ack()
    scene.sleep(0.003)
    c.server.send(head(extra="Transfer-Encoding: chunked\r\n") + b"5\r\nhello\r\n")
    c.client.ack()
    scene.sleep(0.01)
    illegal = c.server.send(b"size=5\r\nhello\r\n0\r\n\r\n")
    c.client.ack()
    c.client.reset()
    scene.failure("invalid_chunk", illegal, "upstream", "the frame with the octet that RFC 9112 section 7.1 forbids",
                  target="/stream")  # fmt: skip


@sample("relayed-error.pcap")
def relayed_error(scene: Scene) -> None:
    """The upstream itself answers 502, complete and well-framed: it is a gateway too, or says that it is ill."""
    c = scene.opened()
    scene.serve(c, "/fine")
    scene.sleep(0.2)
    c.client.send(get("/api/stock"))
    c.server.ack()
    scene.sleep(0.1)
    status = c.server.send(head("502 Bad Gateway", "Via: 1.1 edge\r\nContent-Length: 2000\r\n"))
    c.server.send(filler(2000), mss=1448)
    c.client.ack()
    scene.failure("relayed_error", status, "upstream", "a complete final 5xx: the frame of its status line",
                  target="/api/stock")  # fmt: skip


@sample("gateway-abort.pcap")
def gateway_abort(scene: Scene) -> None:
    """The gateway leaves 137 ms after the request: no time limit, nothing wrong with the upstream."""
    c = scene.opened()
    c.client.send(get("/search"))
    c.server.ack()
    scene.sleep(0.137)
    reset = c.client.reset()
    scene.failure("gateway_abort", reset, "gateway", "the gateway ended an open attempt first", target="/search",
                  confidence=["high", "medium", "low"])  # fmt: skip


@sample("client-abort.pcap", link="sll")
def client_abort(scene: Scene) -> None:
    """The client leaves and the gateway ends the attempt for it; both legs are there."""
    client = scene.connection("10.0.0.9:50110", "10.0.0.2:80", local="server", rtt=0.03)
    client.handshake()
    client.client.send(b"GET /search HTTP/1.1\r\nHost: shop.example\r\n\r\n")
    client.server.ack()
    c = scene.opened()
    c.client.send(get("/search"))
    c.server.ack()
    scene.sleep(0.7)
    client.client.reset()
    scene.sleep(0.0002)
    reset = c.client.reset()
    scene.failure("client_abort", reset, "client", "the client leg shows the client leaving first", target="/search",
                  confidence=["high", "medium", "low"])  # fmt: skip


@sample("no-attempt.pcap", link="sll")
def no_attempt(scene: Scene) -> None:
    """The client gets a 503 and the gateway never tried an upstream, though the capture shows its other attempts."""
    client = scene.connection("10.0.0.9:50110", "10.0.0.2:80", local="server", rtt=0.02)
    client.handshake()
    c = scene.opened()
    for target in ("/one", "/blocked", "/two"):
        client.client.send(f"GET {target} HTTP/1.1\r\nHost: shop.example\r\n\r\n".encode())
        client.server.ack()
        if target == "/blocked":
            scene.sleep(0.0007)
            page = "no server is available\n"
            refusal = f"HTTP/1.1 503 Service Unavailable\r\nContent-Length: {len(page)}\r\n\r\n{page}"
            error = client.server.send(refusal.encode())
        else:
            scene.serve(c, target)
            client.server.send(answer(300))
        client.client.ack()
        scene.sleep(0.6)
    scene.failure("no_attempt", error, "gateway", "the client got an error, the capture holds no attempt",
                  target="/blocked")  # fmt: skip
