cimport cython

@cython.final
cdef class Healthy:
    cdef public bint client
    cdef public long long frame
    cdef public int file
    cdef public long long time
    cdef public long long stream
    cdef public unsigned long long gateway_high
    cdef public unsigned long long gateway_low
    cdef public int gateway_port
    cdef public unsigned long long upstream_high
    cdef public unsigned long long upstream_low
    cdef public int upstream_port
    cdef public long long first_frame
    cdef public long long number
    cdef public bint reused
    cdef public int first_file
    cdef public bytes head
    cdef public Py_ssize_t method_at
    cdef public Py_ssize_t method_end
    cdef public Py_ssize_t target_at
    cdef public Py_ssize_t target_end
    cdef public Py_ssize_t host_at
    cdef public Py_ssize_t host_end
    cdef public Py_ssize_t id_at
    cdef public Py_ssize_t id_end
    cdef public long long answer_frame
    cdef public long long answer_time
    cdef public int status
    cdef public long long head_bytes
    cdef public long long body_bytes
    cdef public long long expected
    cdef public int answer_file
    cdef public long long duration_ns
    cdef public long long first_byte_ns

cdef class Pen:
    cdef public list results
    cdef public int precision
    cpdef int write(self, Healthy told)
