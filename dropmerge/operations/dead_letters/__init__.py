"""`dropmerge dead-letters list | show | replay | discard | undo`: messages that failed for good."""
