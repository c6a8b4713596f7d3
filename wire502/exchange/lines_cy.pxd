cimport cython
from wire502.model.flow_cy cimport Connection, Exchange
from wire502.model.healthy_cy cimport Healthy, Pen

@cython.final
cdef class Lines:
    cdef Pen _pen
    cdef Healthy _told
    cdef bint tell(self, Connection conn, Exchange exchange, bint client)

cdef class Records(Pen):
    cdef dict _ends
