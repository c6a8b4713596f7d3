cimport cython

cdef int bucket_of(double ns) noexcept

@cython.final
cdef class Pace:
    cdef public long long origin
    cdef public int shift
    cdef object store
    cdef unsigned int[::1] counts
    cdef int add(self, long long ts, long long ns, int bucket) except -1
    cdef long long _room(self)
    cdef int _move(self, long long by) except -1
    cdef int _merge(self) except -1
