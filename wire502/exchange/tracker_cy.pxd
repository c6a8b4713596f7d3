cimport cython
from wire502.model.flow_cy cimport Connection, Decoder, Exchange, Half, Observer
from wire502.exchange.history_cy cimport History
from wire502.exchange.legs_cy cimport Legs
from wire502.exchange.lines_cy cimport Lines
from wire502.exchange.translation_cy cimport Translations
from wire502.exchange.upstream_cy cimport Upstream

@cython.final
cdef class Tracker(Observer):
    cdef public object context
    cdef public object desk
    cdef public dict upstreams
    cdef public dict hosts
    cdef list _tenants
    cdef public Upstream others
    cdef public History history
    cdef public long long exchanges
    cdef public long long now
    cdef public bint several_files
    cdef public Decoder pattern
    cdef object _make_decoder
    cdef list _left
    cdef list _recent
    cdef list _due
    cdef long long _sequence
    cdef Translations _translations
    cdef list _connecting
    cdef Py_ssize_t _first
    cdef int _pass_by(self) except -1
    cdef public long long unfollowed
    cdef long long _unfinished
    cdef long long _paced
    cdef Legs _legs
    cdef public Lines lines
    cdef long long _deadline
    cdef bint _keep
    cdef long long _settle
    cdef object _doubts
    cdef bint _live
    cdef long long _refilled
    cdef long long _patience
    cdef object _waiting
    cdef Py_ssize_t _crowded
    cdef dict _watched
    cdef object _patient
    cdef dict _vain
    cdef public dict tolerated
    cdef int _watch(self, Connection conn, long long ts) except -1
    cdef int schedule(self, Connection conn, long long when) except -1
    cdef int _set_next(self) except -1
    cdef long long _first_connect(self)
    cdef Upstream _upstream(self, Half half)
    cdef Upstream _tenant(self, Upstream first, Half half)
    cdef bint _open_attempt(self, Connection conn) except? -1
    cdef int _went_on(self, Connection conn, Exchange exchange) except -1
    cdef bint _is_tolerated(self, Connection conn, Exchange done)
    cdef int _count_oddities(self, Connection conn, Exchange done) except -1
