from wire502.model.frames_cy cimport Batch

cdef class Packer:
    cdef public Py_ssize_t row
    cdef public Py_ssize_t size
    cdef bint _blocks
    cdef Py_ssize_t _more(self, int captured, int direction)
    cpdef Py_ssize_t pack(self, Batch batch, unsigned char[::1] target)
