cimport cython
from wire502.model.flow_cy cimport Connection, Decoder, Exchange, Observer
from wire502.protocol.heads_cy cimport Head

@cython.final
cdef class Http1(Decoder):
    # The fields that each message touches come first: they share a few cache lines.
    cdef Observer observer
    cdef Head reader  # shared by all decoders that were made of one another
    cdef int state_a
    cdef int state_b
    cdef Exchange asking
    cdef list early
    cdef long long excess_offset
    cdef long long end_a
    cdef long long gap_a  # where octets of requests were lost, after which no request was seen; -1 nowhere
    cdef bytes foreign_octets
    cdef long long unseen  # where octets of requests that were lost end, until a later request was answered; -1
    cdef bytearray buffer_b
    cdef long long start_b
    cdef bint keep  # the heads of good responses, too
    cdef bint plain
    cdef Head head_a  # of a head under way
    cdef Head head_b
    cdef bytearray buffer_a
    cdef list marks
    cdef long long early_size
    cdef int foreign
    cdef int max_queue
    cdef long long max_head
    cdef long long chunk
    cdef int chunk_state
    cdef int chunk_digits
    cdef long long chunk_a
    cdef int chunk_state_a
    cdef int chunk_digits_a
    cdef long long gap_b  # where octets of responses were lost last; -1 nowhere
    cdef object preface  # beginning of what may be a PROXY preface: octets, offset, frame, time
    cdef int foreign_side
    cdef bint upgrading
    cdef public bint growing
    cdef int _set(self, Connection conn, Observer observer, Head reader, long long max_head, int max_queue, bint keep) except -1
    cdef Py_ssize_t _octets(self, int side, const unsigned char* octets, Py_ssize_t n, long long offset, long long frame, long long ts) except? -1
    cdef Py_ssize_t _request_octets(self, const unsigned char* octets, Py_ssize_t n, long long offset, long long frame, long long ts) except? -1
    cdef Py_ssize_t _response_octets(self, const unsigned char* octets, Py_ssize_t n, long long offset, long long frame, long long ts) except? -1
    cdef Py_ssize_t _request_head(self, const unsigned char* octets, Py_ssize_t n, long long offset, long long frame, long long ts) except? -1
    cdef Py_ssize_t _more_of_request_head(self, const unsigned char* octets, Py_ssize_t n, long long offset, long long frame, long long ts) except? -1
    cdef Py_ssize_t _response_head(self, const unsigned char* octets, Py_ssize_t n, long long offset, long long frame, long long ts) except? -1
    cdef Py_ssize_t _more_of_response_head(self, const unsigned char* octets, Py_ssize_t n, long long offset, long long frame, long long ts) except? -1
    cdef Py_ssize_t _odd_response_head(self, Head head, Py_ssize_t before, const unsigned char* octets, Py_ssize_t n, long long offset, long long frame, long long ts) except? -1
    cdef inline bint _is_of_no_interest(self, Exchange ex, Head head, Py_ssize_t n) noexcept
    cdef int _request_read(self, Exchange ex, Head parsed, bytes head, long long end, long long frame, long long ts) except -1
    cdef inline int _request_end(self, long long end, long long frame, long long ts) except -1
    cdef int _response_read(self, Exchange ex, Head head, long long end, long long frame, long long ts) except -1
    cdef int _response_end(self, Exchange ex, long long end, long long frame, long long ts) except -1
    cdef inline int _finished(self, Exchange ex) except -1
    cdef Py_ssize_t _chunk_octets(self, int side, const unsigned char* octets, Py_ssize_t n, long long offset, long long frame, long long ts) except? -1
    cdef int _chunk_fault(self, int side, long long offset, long long frame, long long ts, str why) except -1
    cdef int _blame(self, Exchange exchange, long long offset, str part, str why, str looks, bint lost, long long frame, long long ts) except -1
    cdef int _opaque(self, int side, bytes octets) except -1
    cdef int _gather(self, const unsigned char* octets, Py_ssize_t n) except -1
    cdef Py_ssize_t _preface(self, const unsigned char* octets, Py_ssize_t n, long long offset, long long frame, long long ts)
    cdef int _grow(self, Py_ssize_t before, Py_ssize_t n) except -1
