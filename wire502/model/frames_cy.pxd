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

cdef struct Row:
    long long frame
    long long ts_ns
    long long start
    unsigned long long source_high
    unsigned long long source_low
    unsigned long long target_high
    unsigned long long target_low
    unsigned int ports
    unsigned int seq
    unsigned int ack
    unsigned int flags
    unsigned int ts_value
    int interface
    int length
    int captured
    int ip_id
    unsigned short window
    unsigned short mss
    signed char scale
    unsigned char ttl

ctypedef Row* RowAt

cdef class Segments:
    cdef public Py_ssize_t capacity
    cdef public Py_ssize_t count
    cdef public list rare
    cdef public unsigned char[::1] data
    cdef RowAt rows
    cdef object _memory
    cdef Py_ssize_t _allocated
    cpdef int check(self)
