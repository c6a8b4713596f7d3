"""The tests of wire502."""
