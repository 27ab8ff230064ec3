"""Rows to try the pipeline with, and the answer that the main table must give for them.

Shares no code with the pipeline: the expected answer (`generator.expect`) is worked out from the files alone.
"""
