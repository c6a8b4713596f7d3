cimport cython
from wire502.model.healthy_cy cimport Healthy, Pen

@cython.final
cdef class JsonPen(Pen):
    cdef object _block
    cdef bytearray _room
    cdef unsigned char[::1] _view
    cdef unsigned char *_out
    cdef Py_ssize_t _at
    cdef list _pieces
    cdef long long _second
    cdef bytes _prefix
    cdef dict _addresses
    cdef int _line(self, Healthy told)
    cdef int _request(self, Healthy told)
    cdef int _response(self, Healthy told)
    cdef int _put(self, bytes text)
    cdef int _number(self, unsigned long long value)
    cdef int _padded(self, long long value, int width)
    cdef int _time(self, long long time_ns)
    cdef int _milliseconds(self, long long span)
    cdef int _end(self, unsigned long long high, unsigned long long low, int port)
    cdef int _text(self, bytes head, Py_ssize_t start, Py_ssize_t end, Py_ssize_t limit)
