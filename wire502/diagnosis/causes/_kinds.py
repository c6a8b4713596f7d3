"""Kinds of failures that several causes explain."""

from __future__ import annotations

RESETS = frozenset({"rst_mid_request", "rst_before_response", "rst_mid_headers", "rst_mid_body"})
FINS = frozenset({"fin_mid_request", "fin_before_response", "fin_mid_headers", "fin_mid_body"})
STALLS = frozenset({"stall_mid_request", "stall_before_response", "stall_mid_headers", "stall_mid_body"})
