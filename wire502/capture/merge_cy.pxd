from wire502.model.frames_cy cimport Batch

cdef class Head:
    cdef public Batch batch
    cdef public Py_ssize_t row
    cdef public int order
    cdef public object source

cdef class Merger:
    cdef public Batch out
    cdef public Py_ssize_t used
    cdef public long long bound_ns
    cdef public int bound_order
