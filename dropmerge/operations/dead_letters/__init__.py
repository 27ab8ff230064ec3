"""`dropmerge dead-letters list | show | replay | discard | undo`: messages that could not go on."""
