cimport cython
from wire502.model.cells_cy cimport Cells
from wire502.model.flow_cy cimport Connection, Half, Observer
from wire502.model.frames_cy cimport Segments
from wire502.tcp.resting_cy cimport Resting

@cython.final
cdef class Connections:
    cdef public Observer observer
    cdef public object context
    cdef public long long now
    cdef public long long streams
    cdef public long long duplicates
    cdef public long long evicted
    cdef public long long live
    cdef public long long ignored
    cdef public long long overlapping
    cdef public long long first_ts
    cdef public long long last_ts
    cdef public dict oddities
    cdef public list lost
    cdef public list steps
    cdef list slots
    cdef unsigned long long[::1] hashes
    cdef Py_ssize_t used
    cdef Py_ssize_t mask
    cdef int shift
    cdef unsigned long long seed
    cdef unsigned long long early[4]
    cdef dict index
    cdef list order
    cdef list closed
    cdef Py_ssize_t oldest
    cdef long long passed
    cdef Py_ssize_t first_closed
    cdef Py_ssize_t first_brief
    cdef Py_ssize_t lingering
    cdef long long doubt
    cdef long long max_connections
    cdef long long linger
    cdef Py_ssize_t max_closed
    cdef long long max_waiting
    cdef long long max_buffered
    cdef public long long buffered
    cdef long long recount
    cdef unsigned long long[::1] seen
    cdef list files
    cdef list windows
    cdef long long far
    cdef list rested
    cdef Py_ssize_t first_rested
    cdef public long long resting
    cdef public long long woken
    cdef long long rest_after
    cdef long long rest_from
    cdef long long most_awake
    cdef Py_ssize_t pause
    cdef long long round_ts
    cdef Py_ssize_t left
    cdef long long mine
    cdef Cells cells
    cdef Connection shape
    cdef bint _rest(self)
    cdef long long _idle(self)
    cdef int _count_mine(self) except -1
    cdef Connection _wake(self, Resting resting)
    cdef Connection _awoken(self, Resting resting)
    cdef int _sweep(self) except -1
    cdef int _trim(self) except -1
    cdef int _line_up(self, Connection conn) except -1
    cdef int _close_ranks(self) except -1
    cdef int _look_ahead(self, Segments segments, Py_ssize_t i) noexcept
    cdef Connection _find(self, unsigned long long h, unsigned long long sh, unsigned long long sl, unsigned long long th, unsigned long long tl, unsigned int ports)
    cdef int _insert(self, Connection conn) except -1
    cdef int _remove(self, Connection conn) except -1
    cdef int _grow(self) except -1
    cdef int _sign(self, Connection conn, unsigned int seq, unsigned int ack, unsigned int flags, int window, int scale, unsigned int ports, int ip_id, unsigned int ts_value) except -1
    cdef Connection _first(self, Connection conn)
    cdef int _stand_in(self, Connection old, Connection new) except -1
    cdef Connection _on_lane(self, Connection conn, unsigned long long high, unsigned long long low, unsigned int ports, unsigned int seq, unsigned int ack, unsigned int flags)
    cdef bint _fits(self, Connection conn, int side, unsigned int seq, unsigned int ack, unsigned int flags, unsigned long long low, unsigned int ports)
    cdef bint _is_near(self, Half half, unsigned int number)
    cdef Connection _open(self, unsigned long long h, unsigned long long sh, unsigned long long sl, unsigned long long th, unsigned long long tl, unsigned int ports, unsigned int flags, long long frame, long long ts, int interface, bint beside)
    cdef int _syn(self, Connection conn, int side, unsigned int seq, unsigned int ack, unsigned int flags, int window, int mss, int scale, long long frame, long long ts) except -1
    cdef long long _ack(self, Connection conn, int side, unsigned int ack, long long frame, long long ts) except? -1
    cdef int _payload(self, Connection conn, int side, unsigned int seq, const unsigned char* octets, long long n, long long captured, long long acks, long long frame, long long ts) except -1
    cdef int _compare(self, Connection conn, int side, const unsigned char* octets, long long n, long long offset, long long frame, long long ts) except -1
    cdef int _fill(self, Connection conn, Half s, const unsigned char* octets, long long n, long long captured, long long offset, long long frame, long long ts, long long acks) except -1
    cdef int _fin(self, Connection conn, int side, long long offset, long long acks, long long frame, long long ts) except -1
    cdef int _rst(self, Connection conn, int side, unsigned int seq, unsigned int ack, unsigned int flags, int window, int ttl, int ip_id, long long frame, long long ts) except -1
    cdef int _dead(self, Connection conn, long long ts) except -1
    cdef long long _window(self, int interface)
    cdef int _make_room(self, long long ts) except -1
    cdef int _let_go(self, Py_ssize_t place) except -1
    cdef int _retire(self, Connection conn) except -1
    cdef int _locate(self, Connection conn, int side, unsigned int flags) except -1
    cdef int _remember(self, Connection conn, int side, long long frame, long long ts) except -1
    cdef int _alive_after_rst(self, Connection conn, int side, long long ts) except -1
