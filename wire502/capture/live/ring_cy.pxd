from wire502.model.frames_cy cimport Batch

cdef class BlockScanner:
    cdef public long long frame
    cdef public long long last_ns
    cdef public Py_ssize_t left
    cdef public long long torn
    cdef Py_ssize_t at
    cdef Py_ssize_t end
    cdef bint cooked
    cdef int interface
    cdef Py_ssize_t _cook(self, unsigned char[::1] data, Py_ssize_t header, Py_ssize_t start)
    cdef Py_ssize_t _tag(self, unsigned char[::1] data, Py_ssize_t header, Py_ssize_t start)
