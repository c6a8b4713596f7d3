"""Messages out of octets in order: one protocol a module, which knows its grammar and nothing of TCP."""
