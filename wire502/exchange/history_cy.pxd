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
    KEY = 0
    BEFORE = 1
    TAIL = 2
    TAIL_BEFORE = 3
    LINKS = 4
    KEPT = 8192

@cython.final
cdef class History:
    cdef public long long rows
    cdef public bint more
    cdef Py_ssize_t size
    cdef long long latest_ts
    cdef long long[::1] cells
    cdef long long[::1] links
    cdef long long[::1] heads
    cdef long long[::1] tail_heads
    cdef long long lined
    cdef long long tailed
    cdef long long first_lined
    cdef long long first_tailed
    cdef long long filled_lined
    cdef long long filled_tailed
    cdef list conns
    cdef list texts
    cdef int begin(self, Connection conn, Exchange exchange) except -1
    cdef long long _since(self, long long since) except -1
    cdef int _index(self, bint tail, long long since) except -1
    cdef int end(self, Exchange exchange) except -1
    cdef list _like(self, bint tail, unsigned long long h, object wanted, long long since, long long until, long long least, bint ended)

cdef Py_ssize_t asked_end(const unsigned char* octets, Py_ssize_t n) noexcept
cdef unsigned long long line_key(const unsigned char* octets, Py_ssize_t end) noexcept
cdef unsigned long long tail_key(const unsigned char* octets, Py_ssize_t end) noexcept
