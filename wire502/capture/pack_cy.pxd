from wire502.model.frames_cy cimport Batch

cdef class Packer:
    cdef public Py_ssize_t row
    cdef public Py_ssize_t size
    cpdef Py_ssize_t pack(self, Batch batch, unsigned char[::1] target)
