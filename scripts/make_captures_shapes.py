"""Sample captures of the shapes that captures come in: link layers, lost beginnings, cut packets, number wraps."""

from __future__ import annotations

from scripts.make_captures_scene import Scene, answer, filler, get, head, sample


@sample("ipv6.pcap", link="raw")
def ipv6(scene: Scene) -> None:
    """IPv6 without a link layer: a reset in the middle of a body and a port unreachable by ICMPv6."""
    c = scene.connection("[2001:db8:1::2]:41001", "[2001:db8:2::2]:8080")
    c.handshake()
    c.client.send(get("/six"))
    c.server.ack()
    c.server.send(head(extra="Content-Length: 9000\r\n"))
    c.server.send(filler(2856), mss=1428)
    c.client.ack()
    reset = c.server.reset()
    scene.failure("rst_mid_body", reset, "upstream", "short of Content-Length, RST", target="/six")
    d = scene.connection("[2001:db8:1::2]:41002", "[2001:db8:2::3]:8080")
    syn = d.client.syn()
    error = scene.icmp_unreachable("2001:db8:2::1", syn, code=3)
    scene.failure("connect_unreachable", error, "network", "ICMPv6 address unreachable that quotes the SYN")


@sample("vlan.pcap", padding=True)
def vlan(scene: Scene) -> None:
    """Two tags before IP (QinQ), short frames padded: the padding is no data."""
    c = scene.opened(1, vlan=(100, 7))
    c.client.send(get("/tagged"))
    c.server.ack()
    fin = c.server.fin()
    c.client.fin()
    c.server.ack()
    scene.failure("fin_before_response", fin, "upstream", "whole request delivered, no octet of a response, FIN",
                  target="/tagged")  # fmt: skip


@sample("mid-connection.pcap")
def mid_connection(scene: Scene) -> None:
    """The capture begins in the middle of a response; the next one on the same connection is cut short."""
    c = scene.upstream()
    c.established()
    c.client.send(get("/before"), drop=True)
    c.server.send(answer(3000)[:1448], drop=True)
    c.server.send(answer(3000)[1448:])
    c.client.ack()
    scene.sleep(0.4)
    c.client.send(get("/after"))
    c.server.ack()
    c.server.send(head(extra="Content-Length: 6000\r\n"))
    c.server.send(filler(1448))
    c.client.ack()
    fin = c.server.fin()
    c.client.fin()
    c.server.ack()
    scene.failure("fin_mid_body", fin, "upstream", "short of Content-Length, FIN", target="/after")


@sample("snaplen.pcap", snaplen=320)
def snaplen(scene: Scene) -> None:
    """Each packet cut at 320 octets, enough for heads: bodies are counted by sequence numbers."""
    c = scene.opened()
    for number in range(3):
        scene.serve(c, f"/page/{number}", body=5000)
    c.client.send(get("/cut"))
    c.server.ack()
    c.server.send(head(extra="Content-Length: 6000\r\n"))
    c.server.send(filler(4344), mss=1448)
    c.client.ack()
    fin = c.server.fin()
    c.client.fin()
    c.server.ack()
    scene.failure("fin_mid_body", fin, "upstream", "short of Content-Length, FIN", target="/cut")


@sample("sequence-wrap.pcap")
def sequence_wrap(scene: Scene) -> None:
    """Both directions pass sequence number 0, one inside the request, one inside a chunked body."""
    c = scene.upstream(client_isn=2**32 - 20, server_isn=2**32 - 700)
    c.handshake()
    c.client.send(get("/wrap"))
    c.server.ack()
    c.server.send(head(extra="Transfer-Encoding: chunked\r\n"))
    for _ in range(4):
        c.server.send(b"100\r\n" + filler(256) + b"\r\n")
    c.client.ack()
    fin = c.server.fin()
    c.client.fin()
    c.server.ack()
    scene.failure("fin_mid_body", fin, "upstream", "without the last chunk, FIN", target="/wrap")


@sample("mirrored.pcapng", nanoseconds=True)
def mirrored(scene: Scene) -> None:
    """Two interfaces of one router see every packet: the first copy counts, and nothing is a retransmission."""
    c = scene.opened()
    c.client.send(get("/twice"))
    c.server.ack()
    c.server.send(head(extra="Content-Length: 3000\r\n") + filler(1000))
    c.client.ack()
    reset = c.server.reset()
    once = list(range(1, len(scene.frames) + 1))
    for number in once:
        scene.duplicate(
            number, hops=1, interface=1, at=(scene.frames[number - 1].time_ns - scene.start_ns) / 1e9 + 3e-5
        )
    order = sorted(range(len(scene.frames)), key=lambda index: scene.frames[index].time_ns)
    scene.frames = [scene.frames[index] for index in order]
    scene.failure("rst_mid_body", order.index(reset - 1) + 1, "upstream", "short of Content-Length, RST: first copy",
                  target="/twice")  # fmt: skip
    scene.truth.duplicates = len(once)


@sample("one-sided.pcap")
def one_sided(scene: Scene) -> None:
    """Only the upstream's packets were captured (asymmetric routes): its RST in mid-body shows, silence would not."""
    c = scene.upstream()
    c.client.syn(drop=True)
    c.server.syn_ack()
    c.client.ack(drop=True)
    c.client.send(get("/half"), drop=True)
    c.server.ack()
    c.server.send(head(extra="Content-Length: 6000\r\n"))
    c.server.send(filler(2896), mss=1448)
    c.client.ack(drop=True)
    reset = c.server.reset()
    scene.failure("rst_mid_body", reset, "upstream", "visible in that direction alone: short of Content-Length, RST",
                  confidence=["high", "medium", "low"])  # fmt: skip
    d = scene.upstream(2)
    d.client.syn(drop=True)
    d.server.syn_ack()
    d.client.ack(drop=True)
    d.client.send(get("/silent"), drop=True)
    d.server.ack()
    scene.sleep(60)
    d.client.fin(drop=True)
    d.server.fin()
