cimport cython

@cython.final
cdef class Cells:
    cdef public bint writing
    cdef bint short
    cdef long long ts
    cdef long long frame
    cdef unsigned long long zeros
    cdef Py_ssize_t at
    cdef bytes octets
    cdef unsigned char room[4096]
    cdef int begin(self, long long ts) noexcept
    cdef bytes finish(self)
    cdef int read(self, bytes octets, long long ts) noexcept
    cdef int _flush(self) noexcept
    cdef int put(self, unsigned long long code) noexcept
    cdef unsigned long long get(self) noexcept
    cdef long long number(self, long long value) noexcept
    cdef unsigned long long plain(self, unsigned long long value) noexcept
    cdef bint flag(self, bint value) noexcept
    cdef long long near(self, long long value, long long reference) noexcept
    cdef long long time(self, long long value) noexcept
    cdef long long seen(self, long long value) noexcept
    cdef bytes text(self, bytes value)
