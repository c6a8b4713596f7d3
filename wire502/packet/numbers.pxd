# The pointer comes first, so that each octet stands at a constant distance from it: then a C compiler sees one load of
# the whole number, which it does not with an index that it has to add up.

cdef inline unsigned int u16(const unsigned char* octets, Py_ssize_t at) noexcept:
    cdef const unsigned char* here = octets + at
    return (<unsigned int>here[0] << 8) | here[1]

cdef inline unsigned int u32(const unsigned char* octets, Py_ssize_t at) noexcept:
    cdef const unsigned char* here = octets + at
    return (<unsigned int>here[0] << 24) | (<unsigned int>here[1] << 16) | (<unsigned int>here[2] << 8) | here[3]

cdef inline unsigned long long u64(const unsigned char* octets, Py_ssize_t at) noexcept:
    return (<unsigned long long>u32(octets, at) << 32) | u32(octets, at + 4)
