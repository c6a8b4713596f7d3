from wire502.model.frames_cy cimport Batch

cdef class Clock:
    cdef public int interface
    cdef public unsigned int snaplen
    cdef public unsigned int limit
    cdef public long long scale
    cdef public long long offset_ns
    cdef public unsigned long long most
    cdef public object units
    cdef public object offset

cdef class PcapngScanner:
    cdef public long long frame
    cdef public long long last_ns
    cdef public Py_ssize_t needed
    cdef public str fault
    cdef public bint big
    cdef public list clocks
    cdef object blocks
    cdef Py_ssize_t limit
    cdef int direction

    cdef int options(self, unsigned char[::1] data, Py_ssize_t position, Py_ssize_t end, bint big, Clock clock, long long time)
