cimport cython
from wire502.model.flow_cy cimport Connection, Exchange, Half

cdef class Host:
    cdef unsigned long long high
    cdef unsigned long long low
    cdef int role
    cdef bint known
    cdef list served
    cdef Py_ssize_t turn

@cython.final
cdef class Legs:
    cdef tuple _named
    cdef dict _hosts
    cdef list _recent
    cdef bint _gateway_host_opens
    cdef list _asked
    cdef unsigned long long[::1] _asked_keys
    cdef long long[::1] _asked_numbers
    cdef long long[::1] _asked_since
    cdef dict _votes
    cdef set _fronts
    cdef dict _behind
    cdef set _seen_fronts
    cdef public bint client_legs_hinted
    cdef public bint client_legs_seen
    cdef public bint upstream_legs_seen
    cdef int began(self, Connection conn, Exchange exchange) except -1
    cdef Host _host(self, Half half)
    cpdef int opened(self, Connection conn) except -1
    cpdef bint is_client(self, Connection conn) except? -1
    cdef bint _known(self, Connection conn) except? -1
    cdef int _compare(self, Connection conn, Exchange exchange) except -1
