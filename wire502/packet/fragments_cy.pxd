cdef class Partial:
    cdef long long since_ns
    cdef long long count
    cdef tuple key
    cdef bint gone
    cdef int version
    cdef Py_ssize_t base
    cdef Py_ssize_t total
    cdef Py_ssize_t whole_until
    cdef bytearray payload
    cdef bytes header
    cdef list starts
    cdef list ends
    cdef bint place(self, bytes packet, Py_ssize_t begin, Py_ssize_t known, Py_ssize_t start, Py_ssize_t end)
    cdef int _reserve(self, Py_ssize_t start, Py_ssize_t end)
    cdef int _fill(self, bytes packet, Py_ssize_t begin, Py_ssize_t first, Py_ssize_t start, Py_ssize_t end, Py_ssize_t known)
    cdef int name(self, bytes packet, Py_ssize_t header)

cdef class Reassembler:
    cdef public long long dropped
    cdef public long long overlapping
    cdef Py_ssize_t _most_datagrams
    cdef Py_ssize_t _most_octets
    cdef long long _patience_ns
    cdef Py_ssize_t _octets
    cdef dict _partials
    cdef object _order
    cpdef object add(self, bytes packet, Py_ssize_t header, Py_ssize_t length, long long ts_ns, long long place)
    cdef int _bound(self)
    cdef int _give_up(self, Partial partial)
    cdef int _forget(self, Partial partial)
