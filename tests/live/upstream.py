"""Upstreams that fail in known ways, one port each; run by the lab in a namespace of its own."""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CUT = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + b"x" * 1000


def reset(conn: socket.socket) -> None:
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


def ok(conn: socket.socket) -> None:
    conn.sendall(OK)
    time.sleep(0.05)


def rst_before_response(conn: socket.socket) -> None:
    reset(conn)


def fin_before_response(conn: socket.socket) -> None:
    conn.close()


def fin_mid_headers(conn: socket.socket) -> None:
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-")
    conn.close()


def fin_mid_body(conn: socket.socket) -> None:
    conn.sendall(CUT)
    conn.close()


def rst_mid_body(conn: socket.socket) -> None:
    conn.sendall(CUT)
    time.sleep(0.2)
    reset(conn)


def invalid_status_line(conn: socket.socket) -> None:
    conn.sendall(b"220 mail.example ESMTP\r\n")
    time.sleep(0.3)


def relayed_error(conn: socket.socket) -> None:
    conn.sendall(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
    time.sleep(0.05)


def stall_before_response(conn: socket.socket) -> None:
    time.sleep(3)


BEHAVIOURS = (
    ok,
    rst_before_response,
    fin_before_response,
    fin_mid_headers,
    fin_mid_body,
    rst_mid_body,
    invalid_status_line,
    relayed_error,
    stall_before_response,
)
FIRST_PORT = 8100
REFUSING = FIRST_PORT + len(BEHAVIOURS)  # nobody listens
PORTS = {behaviour.__name__: FIRST_PORT + place for place, behaviour in enumerate(BEHAVIOURS)} | {
    "connect_refused": REFUSING
}


def serve(listener: socket.socket, behave: object) -> None:
    def one(conn: socket.socket) -> None:
        with conn:
            conn.settimeout(5)
            try:
                seen = b""
                while b"\r\n\r\n" not in seen and (more := conn.recv(4096)):
                    seen += more
                if seen:
                    behave(conn)  # type: ignore[operator]
            except OSError:
                pass

    while True:
        conn, _ = listener.accept()
        threading.Thread(target=one, args=(conn,), daemon=True).start()


def main() -> None:
    for behaviour in BEHAVIOURS:
        listener = socket.create_server((sys.argv[1], PORTS[behaviour.__name__]))
        threading.Thread(target=serve, args=(listener, behaviour), daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    time.sleep(120)


if __name__ == "__main__":
    main()
