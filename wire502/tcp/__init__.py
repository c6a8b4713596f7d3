"""Connections out of segments: who opened them, octets in order, how they end. Knows no protocol above TCP."""
