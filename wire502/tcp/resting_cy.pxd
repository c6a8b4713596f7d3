cimport cython
from wire502.model.cells_cy cimport Cells
from wire502.model.flow_cy cimport Connection, Half

@cython.final
cdef class Resting:
    cdef public unsigned long long a_high
    cdef public unsigned long long a_low
    cdef public unsigned long long b_high
    cdef public unsigned long long b_low
    cdef public unsigned long long hash
    cdef public long long slot
    cdef public long long stream
    cdef public long long last_ts
    cdef public object upstream
    cdef public bytes packed
    cdef public int a_port
    cdef public int b_port
    cdef public int local
    cdef public bint quiet

cdef bint may_rest(Connection conn)
cpdef Resting pack(Connection conn, Cells cells)
cpdef int unpack(Resting resting, Connection conn, Cells cells) except -1
cdef int name(Resting resting, Connection conn) except -1
