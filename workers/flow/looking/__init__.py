"""Looking by ourselves for what no webhook told us of.

It was lost, it cannot reach us, or it is due by the clock.
"""
