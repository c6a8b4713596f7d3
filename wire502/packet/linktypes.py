"""Names of the link types, so that a capture that cannot be read is refused by name and not by number.

Numbers and names are those of the link-layer header type registry that pcap and pcapng share.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import cast

from wire502.model.capture_info import Interface

# Those that the kernel decodes; ``layers_cy`` holds the code of each.
SUPPORTED: dict[int, str] = {
    0: "NULL",
    1: "ETHERNET",
    9: "PPP",
    12: "RAW",
    14: "RAW",
    50: "PPP_HDLC",
    51: "PPP_ETHER",
    101: "RAW",
    104: "C_HDLC",
    108: "LOOP",
    113: "LINUX_SLL",
    117: "PFLOG",
    166: "PPP_PPPD",
    228: "IPV4",
    229: "IPV6",
    239: "NFLOG",
    258: "PKTAP",
    276: "LINUX_SLL2",
}

UNSUPPORTED: dict[int, str] = {
    3: "AX25",
    6: "IEEE802_5",
    7: "ARCNET_BSD",
    8: "SLIP",
    10: "FDDI",
    100: "ATM_RFC1483",
    105: "IEEE802_11",
    107: "FRELAY",
    109: "ENC",
    114: "LTALK",
    119: "IEEE802_11_PRISM",
    122: "IP_OVER_FC",
    123: "SUNATM",
    127: "IEEE802_11_RADIOTAP",
    129: "ARCNET_LINUX",
    138: "APPLE_IP_OVER_IEEE1394",
    139: "MTP2_WITH_PHDR",
    140: "MTP2",
    141: "MTP3",
    142: "SCCP",
    143: "DOCSIS",
    144: "LINUX_IRDA",
    147: "USER0",
    148: "USER1",
    149: "USER2",
    150: "USER3",
    151: "USER4",
    152: "USER5",
    153: "USER6",
    154: "USER7",
    155: "USER8",
    156: "USER9",
    157: "USER10",
    158: "USER11",
    159: "USER12",
    160: "USER13",
    161: "USER14",
    162: "USER15",
    163: "IEEE802_11_AVS",
    165: "BACNET_MS_TP",
    169: "GPRS_LLC",
    172: "GPF_T",
    177: "LINUX_LAPD",
    182: "MFR",
    187: "BLUETOOTH_HCI_H4",
    189: "USB_LINUX",
    192: "PPI",
    195: "IEEE802_15_4_WITHFCS",
    197: "ERF",
    201: "BLUETOOTH_HCI_H4_WITH_PHDR",
    203: "LAPD",
    204: "PPP_WITH_DIR",
    205: "C_HDLC_WITH_DIR",
    206: "FRELAY_WITH_DIR",
    209: "IPMB_LINUX",
    215: "IEEE802_15_4_NONASK_PHY",
    220: "USB_LINUX_MMAPPED",
    224: "FC_2",
    226: "IPNET",
    227: "CAN_SOCKETCAN",
    230: "IEEE802_15_4_NOFCS",
    231: "DBUS",
    235: "DVB_CI",
    240: "NETANALYZER",
    241: "NETANALYZER_TRANSPARENT",
    242: "IPOIB",
    243: "MPEG_2_TS",
    244: "NG40",
    245: "NFC_LLCP",
    247: "INFINIBAND",
    248: "SCTP",
    249: "USBPCAP",
    251: "BLUETOOTH_LE_LL",
    252: "WIRESHARK_UPPER_PDU",
    253: "NETLINK",
    254: "BLUETOOTH_LINUX_MONITOR",
    256: "BLUETOOTH_LE_LL_WITH_PHDR",
    259: "EPON",
    264: "ISO_14443",
    265: "RDS",
    266: "USB_DARWIN",
    268: "SDLC",
    270: "LORATAP",
    271: "VSOCK",
    272: "NORDIC_BLE",
    274: "ETHERNET_MPACKET",
    278: "OPENVIZSLA",
    279: "EBHSCR",
    280: "VPP_DISPATCH",
    283: "IEEE802_15_4_TAP",
    288: "USB_2_0",
    290: "ETW",
}


def linktype_name(number: int) -> str:
    """Return the registered name of link type *number* and the number, or the number alone where it has none here."""
    name = SUPPORTED.get(number) or UNSUPPORTED.get(number)
    return f"{name} ({number})" if name else str(number)


class LinkTable:
    """The link types of a source's interfaces as a column, kept up to date at the cost of new interfaces only.

    ``known`` is the number of valid rows. Numbers out of range become 65535, which is no link type.
    """

    def __init__(self) -> None:
        self.known = 0
        self._of: Sequence[object] | None = None
        self._column = memoryview(array("i", bytes(4 * 16)))

    def links(self, interfaces: Sequence[object]) -> memoryview:
        """Return the column for *interfaces* (``Interface`` records), which may only grow while it is one list."""
        count = len(interfaces)
        if interfaces is not self._of or count < self.known:
            self._of = interfaces
            self.known = 0
        elif count == self.known:
            return self._column
        if count > len(self._column):  # doubled, so that interfaces that come one by one cost no quadratic copying
            larger = memoryview(array("i", bytes(4 * 2 * count)))
            larger[: self.known] = self._column[: self.known]
            self._column = larger
        for index in range(self.known, count):
            link = cast(Interface, interfaces[index]).linktype
            self._column[index] = link if 0 <= link < 0xFFFF else 0xFFFF
        self.known = count
        return self._column
