"""Tests of the packet stage."""
