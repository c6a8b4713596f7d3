cdef long long apart(unsigned int later, unsigned int earlier) noexcept
