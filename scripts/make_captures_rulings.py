"""Sample captures of the rulings: cases in which the obvious verdict would be wrong."""

from __future__ import annotations

from scripts.make_captures_scene import Scene, answer, filler, get, head, post, sample


@sample("fresh-reset.pcap")
def fresh_reset(scene: Scene) -> None:
    """The upstream accepts and resets at once, before any octet of a request."""
    c = scene.opened()
    scene.sleep(0.0004)
    reset = c.server.reset()
    scene.failure("rst_before_response", reset, "upstream", "RST within 1 s of the handshake, no request octet seen")


@sample("listen-queue-overflow.pcap")
def listen_queue_overflow(scene: Scene) -> None:
    """The SYN-ACK comes again and again and the request is never acknowledged: the listen queue is full."""
    c = scene.upstream()
    c.client.syn()
    c.server.syn_ack()
    c.client.ack(lost=True)
    request = c.client.send(get("/busy"), lost=True)
    sent = (scene.frames[request - 1].time_ns - scene.start_ns) / 1e9
    for after in (0.21, 0.63, 1.05, 1.47, 3.04, 3.15):
        if after in (1.05, 3.04):
            c.server.syn_ack(at=sent + after)
            c.client.ack(lost=True)
        else:
            c.client.retransmit(request, lost=True, at=sent + after)
    c.client.fin(at=sent + 5.002, lost=True)
    scene.failure("stall_before_response", request, "upstream|network",
                  "request sent, SYN-ACK repeated, request never acknowledged, given up after 5 s",
                  target="/busy")  # fmt: skip


@sample("interim-then-reset.pcap")
def interim_then_reset(scene: Scene) -> None:
    """100 Continue, the body, then a reset: an interim response is no response."""
    c = scene.opened()
    c.client.send(post("/pay", 200, "Expect: 100-continue\r\n"))
    c.server.send(head("100 Continue"))
    c.client.send(filler(200))
    c.server.ack()
    scene.sleep(0.04)
    reset = c.server.reset()
    scene.failure("rst_before_response", reset, "upstream", "interim responses are not response octets", target="/pay")


@sample("half-close.pcap")
def half_close(scene: Scene) -> None:
    """The gateway half-closes after each request: one is answered still, to the other the upstream just closes."""
    c = scene.opened(1)
    c.client.send(get("/one"))
    c.client.fin()
    c.server.ack()
    scene.sleep(0.05)
    c.server.send(answer(700))
    c.server.fin()
    c.client.ack()
    d = scene.opened(2)
    d.client.send(get("/two"))
    fin = d.client.fin()
    d.server.ack()
    scene.sleep(0.05)
    d.server.fin()
    d.client.ack()
    scene.failure("gateway_abort", fin, "gateway", "FIN of the gateway first, then of the upstream without response",
                  target="/two", confidence=["high", "medium", "low"])  # fmt: skip


@sample("pipelined-reset.pcap")
def pipelined_reset(scene: Scene) -> None:
    """Three requests in a row, one answered, then a reset: two failures at one frame, the later one secondary."""
    c = scene.opened()
    c.client.send(get("/1"))
    c.client.send(get("/2"))
    c.client.send(get("/3"))
    c.server.ack()
    c.server.send(answer(50))
    c.client.ack()
    scene.sleep(0.02)
    reset = c.server.reset()
    scene.failure("rst_before_response", reset, "upstream", "the first of those outstanding", target="/2")
    scene.failure("rst_before_response", reset, "upstream", "outstanding behind it: secondary", target="/3",
                  secondary=True)  # fmt: skip


@sample("http-to-tls-port.pcap")
def http_to_tls_port(scene: Scene) -> None:
    """Plain HTTP sent to a TLS port is answered by a TLS alert: the gateway's configuration is wrong."""
    c = scene.connection("10.1.0.2:41001", "10.2.0.2:8443")
    c.handshake()
    c.client.send(get("/"))
    c.server.ack()
    alert = c.server.send(b"\x15\x03\x01\x00\x02\x02\x46")
    c.server.fin()
    c.client.ack()
    c.client.fin()
    scene.failure("invalid_status_line", alert, "gateway", "the answer is a TLS record: cause protocol_mismatch",
                  target="/")  # fmt: skip


@sample("stale-reset.pcap")
def stale_reset(scene: Scene) -> None:
    """The upstream had closed its idle connection a while ago, and the gateway knew: the fault is the gateway's."""
    c = scene.opened()
    scene.serve(c, "/first")
    scene.sleep(5.0)
    fin = c.server.fin()
    c.client.ack()
    scene.sleep(2.5)
    c.client.send(get("/second"))
    c.server.reset(bare=True)
    scene.failure("stale_keepalive", fin, "gateway", "the gateway had acknowledged the FIN more than 1 s before",
                  target="/second")  # fmt: skip


@sample("opaque-close.pcap")
def opaque_close(scene: Scene) -> None:
    """A protocol other than HTTP: the opener speaks, nothing comes back, the upstream closes."""
    c = scene.connection("10.1.0.2:41001", "10.2.0.2:6379")
    c.handshake()
    c.client.send(b"*1\r\n$4\r\nPING\r\n")
    c.server.ack()
    scene.sleep(0.01)
    fin = c.server.fin()
    c.client.fin()
    c.server.ack()
    scene.failure("fin_before_response", fin, "upstream", "opener spoke, not one octet came back before the FIN",
                  confidence=["medium", "low"])  # fmt: skip


@sample("silence-to-the-end.pcap")
def silence_to_the_end(scene: Scene) -> None:
    """Silence beyond the deadline (60 s) until the capture ends: a stall, with little confidence."""
    c = scene.opened(1)
    request = c.client.send(get("/hung"))
    c.server.ack()
    for number in range(2, 12):
        scene.sleep(7)
        other = scene.connection(f"10.1.0.2:{42000 + number}", "10.2.0.3:8080")
        other.handshake()
        scene.serve(other, f"/other/{number}")
        scene.close(other)
    scene.failure("stall_before_response", request, "upstream", "the capture ended with a silence beyond the deadline",
                  target="/hung", confidence=["low"])  # fmt: skip


@sample("gateway-not-reading.pcap")
def gateway_not_reading(scene: Scene) -> None:
    """The gateway's own window stays zero during a response, and it hangs up: the failure point is that ACK."""
    c = scene.opened()
    c.client.send(get("/video"))
    c.server.ack()
    c.server.send(head(extra="Content-Length: 900000\r\n"))
    c.server.send(filler(14_480), mss=1448)
    zero = c.client.ack(window=0)
    began = (scene.clock_ns - scene.start_ns) / 1e9
    for after in (0.3, 0.9, 2.1, 4.5, 9.3, 18.9, 38.1):
        c.server.keep_alive(at=began + after)
        c.client.ack(window=0)
    c.client.reset(at=began + 60.002)
    scene.failure("stall_mid_body", zero, "gateway", "the gateway's window is zero: the first zero-window ACK",
                  target="/video")  # fmt: skip
