cdef object point(long long frame, long long file, long long ts)
cdef object seen(long long frame, long long file, long long ts)
