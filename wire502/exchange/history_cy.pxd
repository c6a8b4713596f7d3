cimport cython
from wire502.model.flow_cy cimport Connection, Exchange

@cython.final
cdef class History:
    cdef public long long rows
    cdef public bint more
    cdef Py_ssize_t size
    cdef unsigned long long[::1] key
    cdef long long[::1] before
    cdef long long[::1] heads
    cdef unsigned long long[::1] tail
    cdef long long[::1] tail_before
    cdef long long[::1] tail_heads
    cdef long long[::1] req_ts
    cdef long long[::1] end_ts
    cdef long long[::1] frame
    cdef long long[::1] end_frame
    cdef long long[::1] resp_ts
    cdef int[::1] status
    cdef long long[::1] number
    cdef list conns
    cdef list texts
    cdef int begin(self, Connection conn, Exchange exchange) except -1
    cdef int end(self, Exchange exchange) except -1

cdef Py_ssize_t asked_end(const unsigned char* octets, Py_ssize_t n)
cdef unsigned long long line_key(const unsigned char* octets, Py_ssize_t end)
cdef unsigned long long tail_key(const unsigned char* octets, Py_ssize_t end)
