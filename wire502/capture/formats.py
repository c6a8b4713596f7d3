"""What the first octets of an input say that it is, and what to do when that is no pcap or pcapng."""

from __future__ import annotations

GZIP, ZSTD, LZ4, XZ, BZIP2 = "gzip", "zstd", "lz4", "xz", "bzip2"

# Enough octets to recognise everything below but tar and text.
MAGIC_LENGTH = 24

PCAPNG = b"\x0a\x0d\x0d\x0a"
PCAPNG_ORDERS = (b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a")  # octets 8 to 11: in network order, and not

_COMPRESSED = (
    (b"\x1f\x8b\x08", GZIP),
    (b"\x28\xb5\x2f\xfd", ZSTD),
    (b"\x04\x22\x4d\x18", LZ4),
    (b"\xfd7zXZ\x00", XZ),
)

# Magic octets, what such a file is, and whether Wireshark's tools can turn it into pcap.
_FOREIGN: tuple[tuple[bytes, str, bool], ...] = (
    (b"snoop\0\0\0", "a snoop capture", True),
    (b"btsnoop\0", "a Bluetooth btsnoop capture", True),
    (b"RTSS", "a Microsoft Network Monitor 1 capture", True),
    (b"GMBU", "a Microsoft Network Monitor 2 capture", True),
    (b"TRSNIFF data", "a Network General Sniffer capture", True),
    (b"XCP\0", "a Network Associates Sniffer capture", True),
    (b"\x05VNF", "a Visual Networks capture", True),
    (b"iptrace 1.0", "an AIX iptrace capture", True),
    (b"iptrace 2.0", "an AIX iptrace capture", True),
    (b"\xde\xad\xde\xad\xde\xad\xbe\xef", "a K12 capture", True),
    (b"\x54\x52\x00\x64\x00", "an HP-UX nettl capture", True),
    (b"\x01\x05\x10\x00\x00\x00", "a LANalyzer capture", True),
    (b"\x7fver", "an EtherPeek or OmniPeek capture", True),
    (b"\x1c\x00\x01\xac", "an Ixia capture", True),
    (b"PK\x03\x04", "a zip archive: unpack it", False),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it", False),
    (b"Rar!", "a rar archive: unpack it", False),
    (b"\x1f\x9d", "compressed by compress: unpack it with uncompress", False),
    (b"\x5d\x00\x00", "compressed by lzma: unpack it with xz -d", False),
    (b"\x7fELF", "a program, not a capture", False),
    (b"SQLite format 3\0", "a SQLite database, not a capture", False),
    (b"%PDF", "a PDF document, not a capture", False),
)

TO_PCAP = "convert it with: editcap -F pcap {path} out.pcap"
# What decompresses a file to its standard output as far as it is sound. editcap alone does not know xz and bzip2.
_PROGRAMS = {GZIP: "gzip -dc", ZSTD: "zstd -dc", LZ4: "lz4 -dc", XZ: "xz -dc", BZIP2: "bzip2 -dc"}
# What an input is called that has no name, and what stands for it in a command.
STANDARD_INPUT, STREAM = "standard input", "(stream)"
_NAMELESS = "FILE"
_ERF_HEADER = 16
_ERF_TYPES = range(1, 49)
_TEXT_CONTROLS = frozenset(b"\t\n\r\f\x1b")


def compression(head: bytes) -> str | None:
    """Return the name of the compression that *head*, the first octets of an input, begins; None for none."""
    for magic, name in _COMPRESSED:
        if head.startswith(magic):
            return name
    if (
        head[:3] == b"BZh"
        and head[3:4].isdigit()
        and head[4:10] in (b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90")
    ):
        return BZIP2
    if head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F:  # a skippable frame, common to zstd and lz4
        return ZSTD
    return None


def is_pcapng(head: bytes) -> bool:
    """Whether a pcapng file begins with *head*."""
    return head.startswith(PCAPNG) and head[8:12] in PCAPNG_ORDERS


def in_shell(path: str) -> str:
    """Return *path* as a word of a shell command; FILE for an input without a name."""
    if path in (STANDARD_INPUT, STREAM):
        return _NAMELESS
    from shlex import quote

    return quote(path)


def to_save(path: str, compression: str) -> str:
    """Return the command that writes the sound part of the damaged capture *path*; *compression* is "" for none."""
    if compression:
        return f"{_PROGRAMS[compression]} {in_shell(path)} | editcap - whole.pcapng"
    return f"editcap {in_shell(path)} whole.pcapng"


def foreign(head: bytes, path: str) -> tuple[str, str]:
    """Return (reason, way out) for an input whose first octets *head* (at least one) are no pcap or pcapng."""
    path = in_shell(path)
    for magic, what, convertible in _FOREIGN:
        if head.startswith(magic):
            name, _, advice = what.partition(": ")
            return f"is {name}", TO_PCAP.format(path=path) if convertible else advice
    if head[257:262] == b"ustar":
        return "is a tar archive", f"unpack it with: tar -xf {path}"
    nested = compression(head)
    if nested:
        return f"holds {nested} data inside the compressed file", "unpack it once before reading"
    if _is_text(head):
        return "is text, not a capture", "write the packets themselves: tcpdump -w FILE, not tcpdump > FILE"
    if _is_erf(head):
        return "looks like an ERF capture", TO_PCAP.format(path=path)
    shown = head[:4].hex(" ")
    return f"is no capture: it begins with {shown}, neither pcap nor pcapng", f"see what it is with: file {path}"


def _is_text(head: bytes) -> bool:
    """Return whether *head* is UTF-8 text (the last character may be cut) without control characters."""
    if any(octet < 0x20 and octet not in _TEXT_CONTROLS for octet in head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3 and error.reason == "unexpected end of data"
    return True


def _is_erf(head: bytes) -> bool:
    """Return whether two records of plausible type, length and time follow each other, since ERF has no magic."""
    first = _erf_record(head)
    if first is None or first[1] + _ERF_HEADER > len(head):
        return False
    second = _erf_record(head[first[1] :])
    return second is not None and abs(second[0] - first[0]) < 86_400


def _erf_record(head: bytes) -> tuple[int, int] | None:
    """Return (seconds, record length) of the ERF record at the start of *head*; None when it cannot be one."""
    if len(head) < _ERF_HEADER:
        return None
    seconds = int.from_bytes(head[4:8], "little")
    length = int.from_bytes(head[10:12], "big")
    if head[8] & 0x7F not in _ERF_TYPES or length < _ERF_HEADER or seconds < 500_000_000:
        return None
    return seconds, length
