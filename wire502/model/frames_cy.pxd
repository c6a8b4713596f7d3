cimport cython

cdef class Batch:
    cdef public Py_ssize_t capacity
    cdef public Py_ssize_t count
    cdef public list interfaces
    cdef public unsigned char[::1] data
    cdef public long long[::1] frame
    cdef public long long[::1] ts_ns
    cdef public long long[::1] start
    cdef public int[::1] captured
    cdef public int[::1] length
    cdef public int[::1] interface
    cdef public unsigned char[::1] direction
    cpdef int check(self)

cdef class Segments:
    cdef public Py_ssize_t capacity
    cdef public Py_ssize_t count
    cdef public list rare
    cdef public unsigned char[::1] data
    cdef public long long[::1] frame
    cdef public long long[::1] ts_ns
    cdef public int[::1] interface
    cdef public unsigned long long[::1] source_high
    cdef public unsigned long long[::1] source_low
    cdef public unsigned long long[::1] target_high
    cdef public unsigned long long[::1] target_low
    cdef public unsigned int[::1] ports
    cdef public unsigned int[::1] seq
    cdef public unsigned int[::1] ack
    cdef public unsigned int[::1] flags
    cdef public int[::1] window
    cdef public long long[::1] start
    cdef public int[::1] length
    cdef public int[::1] captured
    cdef public unsigned char[::1] ttl
    cdef public int[::1] ip_id
    cdef public unsigned int[::1] ts_value
    cdef public int[::1] mss
    cdef public int[::1] scale
    cpdef int check(self)
