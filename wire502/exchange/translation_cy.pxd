cimport cython
from wire502.model.flow_cy cimport Connection

@cython.final
cdef class Translations:
    cdef public long long found
    cdef long long _rows
    cdef long long _oldest
    cdef unsigned long long[::1] _signs
    cdef long long[::1] _before
    cdef long long[::1] _heads
    cdef list _conns
    cdef int _forget(self, long long now) except -1
    cdef int _part(self, Connection conn) except -1
    cdef int opened(self, Connection conn) except -1
    cdef bint unveil(self, Connection conn)

cdef bint _same(Connection one, Connection other)
cdef bint _shares_an_end(Connection one, Connection other)
cdef bint _ended(Connection conn)
cdef int _shadow(Connection conn, Connection judged) except -1
