"""The live agent: months of running around the same engine that reads files.

``loop`` turns: frames come from a ``Feed``, each ``Part`` sees them before the engine does and the results behind it.
Whatever the agent can do beside analysing (write packets, print, keep evidence, count for others) is a ``Part`` of
its own, which knows no other.
"""
