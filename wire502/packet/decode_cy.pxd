from wire502.model.frames_cy cimport Batch, RowAt, Segments
from wire502.packet.fragments_cy cimport Reassembler
from wire502.packet.layers_cy cimport Cursor
from wire502.packet.options_cy cimport Options
from wire502.packet.straight_cy cimport Straight

cdef class Decoder:
    cdef public Py_ssize_t capacity
    cdef public long long frames
    cdef public long long octets
    cdef public long long latest_ns
    cdef public long long segments
    cdef public long long rare
    cdef public long long fragments
    cdef public long long non_tcp
    cdef public long long malformed
    cdef public long long cut
    cdef public dict unsupported
    cdef public bytes fragment
    cdef public Reassembler reassembler
    cdef public object datagram
    cdef public Py_ssize_t fragment_header
    cdef public Py_ssize_t fragment_length
    cdef public int fragment_direction
    cdef public unsigned int fragment_lane
    cdef Cursor _cursor
    cdef object _table
    cdef Options _options
    cdef Straight _straight
