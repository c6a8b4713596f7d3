"""From what was seen of an attempt to what is said about it: which kind, whose fault, how sure, in which words."""
