cimport cython
from wire502.model.flow_cy cimport Connection, Exchange

@cython.final
cdef class Sights:
    cdef public long long total
    cdef public long long open_now
    cdef public long long open_most
    cdef public long long open_most_ts
    cdef public long long answers
    cdef public long long first_answer_frame
    cdef public long long first_answer_ts
    cdef public int first_answer_file
    cdef public int ttl
    cdef public bint dont_fragment
    cdef public int ip_id
    cdef public long long reuse_longest
    cdef public long long reuse_frame
    cdef public int reuse_file
    cdef public long long kept_longest
    cdef public long long kept_frame
    cdef public int kept_file
    cdef public long long refusals
    cdef public long long refused_since_frame
    cdef public long long refused_since_ts
    cdef public long long refused_last_frame
    cdef public long long refused_last_ts
    cdef public int refused_file
    cdef public long long well_frame
    cdef public long long well_ts
    cdef public int well_file
    cdef public long long heard_frame
    cdef public long long heard_ts
    cdef public int heard_file
    cdef public long long good_ts
    cdef public long long down_ts
    cdef public long long down_frame
    cdef public int down_file
    cdef public long long down_failures
    cdef public list outages
    cdef public long long largest_acked
    cdef public long long largest_got
    cdef long long room
    cdef object store
    cdef long long[::1] rows
    cdef list told
    cdef long long slots[256]
    cdef int opened(self, Connection conn) except -1
    cdef int answered(self, Connection conn, long long frame, long long ts) except -1
    cdef int requested(self, Connection conn, Exchange exchange) except -1
    cdef int responded(self, Connection conn, Exchange exchange) except -1
    cdef int ended(self, Connection conn, int side, long long ts, bint busy) except -1
    cdef int forgotten(self, Connection conn) except -1
    cdef int _write(self, Connection conn, int side, long long ts, bint busy) except -1
