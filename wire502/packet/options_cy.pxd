cdef class Options:
    cdef unsigned int ts_value
    cdef int mss
    cdef int scale
    cdef unsigned int read(self, const unsigned char* octets, Py_ssize_t at, Py_ssize_t end, bint syn)
