from wire502.model.frames_cy cimport Batch

cdef unsigned int load32(const unsigned char* at, bint big) noexcept

cdef int fill_constants(Batch batch, Py_ssize_t first, Py_ssize_t end, int interface)

cdef class PcapScanner:
    cdef public long long frame
    cdef public long long last_ns
    cdef public Py_ssize_t needed
    cdef public str fault
    cdef bint big
    cdef Py_ssize_t header
    cdef long long scale
    cdef int interface
    cdef unsigned int limit
    cdef int swap
    cdef object layout
    cdef Batch filled
    cdef Py_ssize_t constant
