cdef class Cursor:
    cdef const unsigned char* octets
    cdef Py_ssize_t at
    cdef Py_ssize_t end
    cdef Py_ssize_t wire
    cdef unsigned int bits
    cdef int version
    cdef int peel(self, int layer)
    cdef int _short(self, Py_ssize_t size)
    cdef int _ethertype(self, int kind)
    cdef int _tagged(self, unsigned int network)
    cdef int _by_nibble(self)
    cdef int _logical_link(self)
    cdef int _mpls(self)
    cdef int _ppp(self)
    cdef int _link(self, int link)
    cdef int _cooked(self, Py_ssize_t size, Py_ssize_t type_at, Py_ssize_t protocol_at)
    cdef int _family(self, int family)
    cdef int _nflog(self)
    cdef int _protocol(self, int protocol)
    cdef int _gre(self)
    cdef int _erspan(self)
    cdef int _udp(self)
    cdef int _gtp(self)
    cdef int _bridged(self)
