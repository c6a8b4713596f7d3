cimport cython

@cython.final
cdef class Head:
    cdef public Py_ssize_t line
    cdef public Py_ssize_t at
    cdef public bint done
    cdef public int status
    cdef public int minor
    cdef public long long length
    cdef public int lengths
    cdef public bint chunked
    cdef public bint coded
    cdef public bint expects
    cdef public bint upgrade
    cdef public bint close
    cdef public bint streaming
    cdef public bint old
    cdef public Py_ssize_t bad
    cdef public str part
    cdef public str why
    cdef public bint lost
    cdef public bint odd_framing
    cdef public bint blank
    cdef Py_ssize_t searched
    cdef int reset(self) except -1
    cdef int request(self, const unsigned char* octets, Py_ssize_t n) except -1
    cdef int response(self, const unsigned char* octets, Py_ssize_t n) except -1
    cdef int _field(self, const unsigned char* octets, Py_ssize_t start, Py_ssize_t end, bint strict) except -1
    cdef bint _ends_chunked(self, bytes value)
    cdef int _known(self, const unsigned char* octets, Py_ssize_t start, Py_ssize_t colon, Py_ssize_t end, bint strict) except -1
    cdef int _length(self, const unsigned char* octets, Py_ssize_t start, Py_ssize_t end, Py_ssize_t line, bint strict) except -1
    cdef int _status_line(self, const unsigned char* octets, Py_ssize_t start, Py_ssize_t end) except -1
    cdef int _blame(self, Py_ssize_t where, str part, str why, bint lost) except -1

cdef Py_ssize_t status_line_fault(const unsigned char* octets, Py_ssize_t start, Py_ssize_t n, bint ended) noexcept
cdef int request_likeness(const unsigned char* octets, Py_ssize_t n) noexcept
cdef bint looks_like_status(const unsigned char* octets, Py_ssize_t n) noexcept
