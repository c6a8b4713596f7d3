cdef extern from *:
    # A hint to the processor that memory will be needed soon, which no header of C or Python has.
    """
    #if defined(__GNUC__)
    #define fetch_early(address) __builtin_prefetch(address)
    #else
    #define fetch_early(address) ((void)(address))
    #endif
    """
    void fetch_early(const void* address) noexcept

cdef class Piece:
    cdef public long long offset
    cdef public long long end
    cdef public long long frame
    cdef public long long ts_ns
    cdef public int file
    cdef public long long acks
    cdef public bytes octets

cdef class Half:
    # The fields that each segment touches come first, and all that hold an object: they share a few cache lines.
    cdef public unsigned long long high
    cdef public unsigned long long low
    cdef public int port
    cdef public unsigned int nxt
    cdef public long long off
    cdef public long long top
    cdef public long long skip
    cdef public long long acked
    cdef public long long frames
    cdef public long long last_frame
    cdef public long long last_ts
    cdef public list pieces
    cdef public bint started
    cdef public int rst_state
    cdef public int window
    cdef public long long fin_off
    cdef public long long progress_frame
    cdef public long long progress_ts
    cdef public long long zero_frame
    cdef public int largest
    cdef public int ttl
    cdef public int ip_id
    cdef public int ip_id_before
    cdef public list gaps
    cdef public list lost
    cdef public int rexmits
    cdef public int unacked_rexmits
    cdef public long long fin_acked_frame
    cdef public long long hole_acked_ts
    cdef public long long ahead
    cdef public long long acked_frame
    cdef public long long acked_ts
    cdef public bint syn_seen
    cdef public unsigned int isn
    cdef public int scale
    cdef public int mss
    cdef public bint dont_fragment
    cdef public bint stamped
    cdef public long long ahead_frame
    cdef public long long ahead_ts
    cdef public long long rexmit_frame
    cdef public long long rexmit_ts
    cdef public long long zero_ts
    cdef public long long fin_frame
    cdef public long long fin_ts
    cdef public long long fin_acks
    cdef public bint fin_done
    cdef public long long fin_acked_ts
    cdef public long long rst_frame
    cdef public long long rst_ts
    cdef public long long rst_off
    cdef public long long rst_acks
    cdef public unsigned int rst_seq
    cdef public int rst_ttl
    cdef public int rst_ip_id
    cdef public int rst_window
    cdef public unsigned int rst_flags
    cdef public long long after_rst_frame
    cdef public long long after_rst_ts
    cdef public long long buffered
    cdef public int hole_dups
    cdef public int lane
    cdef int begin(self) except -1

cdef class Exchange:
    cdef public long long number
    cdef public bint ghost
    cdef public bint req_whole
    cdef public bint req_cut
    cdef public bint expects
    cdef public bint is_head
    cdef public bint is_connect
    cdef public long long req_frame
    cdef public long long req_ts
    cdef public long long req_start
    cdef public long long req_end
    cdef public long long req_last_frame
    cdef public long long req_last_ts
    cdef public long long req_acks
    cdef public bytes req_head
    cdef public bint resp_done
    cdef public bint resp_cut
    cdef public bint resp_none
    cdef public long long resp_frame
    cdef public long long resp_ts
    cdef public long long resp_start
    cdef public long long resp_acks
    cdef public int status
    cdef public long long status_frame
    cdef public long long status_ts
    cdef public long long head_frame
    cdef public long long head_ts
    cdef public long long head_bytes
    cdef public long long body_bytes
    cdef public long long expected
    cdef public int framing
    cdef public long long resp_last_frame
    cdef public long long resp_last_ts
    cdef public bytes resp_head
    cdef public bytes resp_page
    cdef public list interim
    cdef public object violation
    cdef public list oddities
    cdef public bint excess_before
    cdef public int foreign_status
    cdef public long long next_frame
    cdef public long long next_ts
    cdef public bint streaming
    cdef public bint keep_alive
    cdef public long long rexmits_before
    cdef public long long row
    cdef public bint judged
    cdef public bint piped
    cdef int clear(self) except -1

cdef class Decoder:
    cdef public Connection conn
    cdef public long long skip
    cdef public long long acks
    cdef public Exchange current
    cdef public list queue
    cdef public bint http
    cdef public bint decided
    cdef public bint tunnel
    cdef public long long exchanges
    cdef public str looks_like
    cdef public bytes proxied
    cdef Decoder another(self, Connection conn)
    cdef bint renew(self, Connection conn) except? -1
    cdef Py_ssize_t on_octets(self, int side, const unsigned char* octets, Py_ssize_t n, long long offset, long long frame, long long ts) except? -1
    cdef int on_skipped(self, int side, long long offset, long long frame, long long ts) except -1
    cdef int on_gap(self, int side, long long offset, long long n, long long frame, long long ts) except -1
    cdef int on_fin(self, int side, long long frame, long long ts) except -1

cdef class Connection:
    # First what each segment touches, then what is asked when the connection is over, and all that hold an object: to
    # forget one is to wait for as few cache lines as can be.
    cdef public Half a
    cdef public Half b
    cdef public Decoder decoder
    cdef public long long last_ts
    cdef public bint established
    cdef public int lane
    cdef public int ring_next
    cdef public int ring_count
    cdef public long long ack_frame
    cdef public long long ack_ts
    cdef public object upstream
    cdef public list pending
    cdef public Connection view
    cdef public long long settle_at
    cdef public bint settled
    cdef public bint dead
    cdef public bint superseded
    cdef public bint evicted
    cdef public bint shadowed
    cdef public bint in_closed
    cdef public long long closed_ts
    cdef public long long slot
    cdef public long long place
    cdef public unsigned long long hash
    cdef public Connection twin
    cdef public bint beside
    cdef public bint mid
    cdef public list more_syns
    cdef public list more_syn_acks
    cdef public object unreachable
    cdef public object too_big
    cdef public object conflict
    cdef public long long stream
    cdef public int file
    cdef public int interface
    cdef public long long first_frame
    cdef public long long first_ts
    cdef public int opener
    cdef public bint snap_cut
    cdef public bint unkept
    cdef public int local
    cdef public long long syn_frame
    cdef public long long syn_ts
    cdef public long long syn_last_ts
    cdef public long long syn_ack_frame
    cdef public long long syn_ack_ts
    cdef public bint ipv6
    cdef public long long refused_frame
    cdef public long long refused_ts
    cdef public int refused_ttl
    cdef public int refused_ip_id
    cdef public int refused_window
    cdef public unsigned int refused_flags
    cdef public unsigned int refused_seq
    cdef public long long step_ts
    cdef public long long step_frame
    cdef public long long opaque_frame
    cdef public long long opaque_ts
    cdef public unsigned long long sign
    cdef public long long stamp
    cdef public int began
    cdef long long ring[48]
    cdef int begin(self) except -1
    cdef int note(self, int side, int what, long long octets, long long frame, long long ts) except -1

cdef class Observer:
    cdef public long long next_due
    cdef public list spares
    cdef public list growing
    cdef public long long growing_octets
    cdef public long long most_growing
    cdef int opened(self, Connection conn) except -1
    cdef int established(self, Connection conn, long long frame, long long ts) except -1
    cdef int closing(self, Connection conn, int side, long long ts) except -1
    cdef int request_started(self, Connection conn, Exchange exchange) except -1
    cdef int exchange_done(self, Connection conn, Exchange exchange) except -1
    cdef int violated(self, Connection conn, Exchange exchange) except -1
    cdef int hole(self, Connection conn, long long ts) except -1
    cdef int unseen(self, Connection conn, long long ts) except -1
    cdef int retired(self, Connection conn) except -1
    cdef bint is_over(self, Connection conn) except -1
    cdef int spare(self, Exchange exchange) except -1
    cdef Exchange fresh(self)
    cpdef Decoder new_decoder(self, Connection conn)
    cpdef int fire(self, long long now_ns)
