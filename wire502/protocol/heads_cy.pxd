cimport cython

@cython.final
cdef class Head:
    cdef public Py_ssize_t line
    cdef public Py_ssize_t at
    cdef Py_ssize_t searched
    cdef public bint done
    cdef public int status
    cdef public int lengths
    cdef public bint chunked
    cdef public bint coded
    cdef public bint expects
    cdef public bint upgrade
    cdef public bint close
    cdef public bint streaming
    cdef public bint old
    cdef public bint lost
    cdef public bint blank
    cdef public int minor
    cdef public long long length
    cdef public Py_ssize_t bad
    cdef public str part
    cdef public str why
    cdef int reset(self) except -1
    cdef int request(self, const unsigned char* octets, Py_ssize_t n) except -1
    cdef int response(self, const unsigned char* octets, Py_ssize_t n) except -1
    cdef inline int _good_lines(self, const unsigned char* octets, Py_ssize_t n) except -1
    cdef int _request_line(self, const unsigned char* octets, Py_ssize_t start, Py_ssize_t end) except -1
    cdef int _begun_status_line(self, const unsigned char* octets, Py_ssize_t start, Py_ssize_t n) except -1
    cdef inline int _status_line(self, const unsigned char* octets, Py_ssize_t start, Py_ssize_t end) except -1
    cdef int _field(self, const unsigned char* octets, Py_ssize_t start, Py_ssize_t end, bint response) except -1
    cdef int _fault(self, const unsigned char* octets, Py_ssize_t start, Py_ssize_t end) except -1
    cdef int _name_fault(self, const unsigned char* octets, Py_ssize_t start, Py_ssize_t wrong, Py_ssize_t end) except -1
    cdef int _known(self, Py_ssize_t name, const unsigned char* octets, Py_ssize_t at, Py_ssize_t end, Py_ssize_t line, bint strict) except -1
    cdef bint _ends_chunked(self, bytes value)
    cdef inline int _length(self, const unsigned char* octets, Py_ssize_t start, Py_ssize_t end, Py_ssize_t line, bint strict) except -1
    cdef int _blame(self, Py_ssize_t where, str part, str why, bint lost) except -1

cdef extern from *:
    int trailing_zeros "__builtin_ctzll"(unsigned long long number) noexcept nogil

cdef Py_ssize_t status_line_fault(const unsigned char* octets, Py_ssize_t start, Py_ssize_t n, bint ended) noexcept
cdef int request_likeness(const unsigned char* octets, Py_ssize_t n) noexcept
cdef bint looks_like_status(const unsigned char* octets, Py_ssize_t n) noexcept
