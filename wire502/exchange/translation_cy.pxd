from wire502.model.flow_cy cimport Connection

cdef class Translations:
    cdef public long long found
    cdef dict _fresh
    cdef dict _stale
    cdef long long _since
    cdef int opened(self, Connection conn)
    cdef bint unveil(self, Connection conn)

cdef bint _same(Connection one, Connection other)
cdef bint _shares_an_end(Connection one, Connection other)
cdef bint _ended(Connection conn)
cdef int _shadow(Connection conn, Connection judged)
