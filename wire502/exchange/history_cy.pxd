cimport cython
from wire502.model.flow_cy cimport Connection, Exchange

@cython.final
cdef class History:
    cdef public long long rows
    cdef public bint more
    cdef Py_ssize_t size
    cdef long long[::1] cells
    cdef long long[::1] heads
    cdef long long[::1] tail_heads
    cdef long long lined
    cdef long long tailed
    cdef list conns
    cdef list texts
    cdef int begin(self, Connection conn, Exchange exchange) except -1
    cdef int _index(self, bint tail) except -1
    cdef int end(self, Exchange exchange) except -1
    cdef list _like(self, bint tail, unsigned long long h, object wanted, long long since, long long until, long long least, bint ended)

cdef Py_ssize_t asked_end(const unsigned char* octets, Py_ssize_t n) noexcept
cdef unsigned long long line_key(const unsigned char* octets, Py_ssize_t end) noexcept
cdef unsigned long long tail_key(const unsigned char* octets, Py_ssize_t end) noexcept
