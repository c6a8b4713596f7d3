cimport cython
from wire502.exchange.pace_cy cimport Pace
from wire502.exchange.sights_cy cimport Sights
from wire502.model.flow_cy cimport Exchange

@cython.final
cdef class Buckets:
    cdef public long long count
    cdef long long counts[256]
    cdef int add(self, long long ns) except -1

@cython.final
cdef class Upstream:
    cdef public unsigned long long high
    cdef public unsigned long long low
    cdef public int port
    cdef public long long attempts
    cdef public long long failures
    cdef public long long unfinished
    cdef public long long connections
    cdef public long long retransmissions
    cdef public Buckets connect
    cdef public Buckets first_byte
    cdef public Buckets idle
    cdef public long long answered_frame
    cdef public long long answered_ts
    cdef public int answered_file
    cdef public Sights sights
    cdef public dict kinds  # failures by kind; None: there was none
    cdef public Pace pace
    cdef public int lane
    cdef public dict tenants
    cdef bint finished(self, Exchange exchange) except? -1
