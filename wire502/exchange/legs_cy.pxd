from wire502.model.flow_cy cimport Connection, Exchange

cdef class Legs:
    cdef tuple _named
    cdef dict _roles
    cdef dict _serving
    cdef bint _gateway_host_opens
    cdef object _asked
    cdef dict _votes
    cdef set _fronts
    cdef dict _behind
    cdef set _seen_fronts
    cdef public bint client_legs_hinted
    cdef public bint client_legs_seen
    cdef public bint upstream_legs_seen
    cdef int began(self, Connection conn, Exchange exchange)
    cdef bint _is_serving(self, Connection asking)
    cpdef int opened(self, Connection conn)
    cpdef bint is_client(self, Connection conn)
    cdef bint _known(self, Connection conn)
    cdef int _compare(self, Connection conn, Exchange exchange)
