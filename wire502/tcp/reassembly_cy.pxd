from wire502.model.flow_cy cimport Connection, Half

cdef int deliver(Connection conn, Half half, int side, const unsigned char* octets, long long n, long long captured, long long frame, long long ts, long long acks) except -1
cdef long long hold(Connection conn, Half half, const unsigned char* octets, long long n, long long captured, long long offset, long long frame, long long ts, long long acks, bint keep)
cdef int drain(Connection conn, int side) except -1
cpdef int release(Connection conn, int side, long long now, bint closing)
cdef int finish_fin(Connection conn, int side) except -1
