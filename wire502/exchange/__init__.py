"""Exchanges and attempts: which request an answer belongs to, which leg it is on, what deserves a verdict."""
