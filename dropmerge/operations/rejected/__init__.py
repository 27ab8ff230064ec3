"""Rows that failed their checks: which, where in their files, and how to get them in after all."""
