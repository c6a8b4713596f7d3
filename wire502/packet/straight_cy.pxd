from wire502.model.frames_cy cimport Batch, RowAt
from wire502.packet.options_cy cimport Options

cdef class Straight:
    cdef long long octets
    cdef long long latest_ns
    cdef Options _options
    cdef Py_ssize_t read(self, Batch batch, Py_ssize_t first, Py_ssize_t end, RowAt out, const int* links, Py_ssize_t known)
