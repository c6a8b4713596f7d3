cdef class ExchangeWriter:
    cdef int precision
    cdef long long second
    cdef str prefix
    cdef str _request(self, object request)
    cdef str _response(self, object response)
    cdef str _time(self, long long time_ns)
