cimport cython
from wire502.model.flow_cy cimport Connection, Exchange

cdef enum:
    REQ_TS = 0
    FRAME = 1
    NUMBER = 2
    END_TS = 3
    END_FRAME = 4
    RESP_TS = 5
    STATUS = 6
    LATEST = 7
    WIDTH = 8
    KEPT = 8192

@cython.final
cdef class History:
    cdef public long long rows
    cdef public bint more
    cdef Py_ssize_t size
    cdef long long latest_ts
    cdef long long[::1] cells
    cdef long long[::1] keys
    cdef long long[::1] tails
    cdef long long[::1] tails_before
    cdef long long[::1] tail_heads
    cdef long long tailed
    cdef list conns
    cdef list texts
    cdef int begin(self, Connection conn, Exchange exchange) except -1
    cdef long long _since(self, long long since) except -1
    cdef int _index(self) except -1
    cdef long long _older(self, bint tail, long long h, long long row, long long first) except -1
    cdef int end(self, Exchange exchange) except -1
    cdef list _like(self, bint tail, unsigned long long h, object wanted, long long since, long long until, long long least, bint ended)

cdef Py_ssize_t asked_end(const unsigned char* octets, Py_ssize_t n) noexcept
cdef unsigned long long asked_key(bytes head) noexcept
cdef unsigned long long tail_key(const unsigned char* octets, Py_ssize_t end) noexcept
