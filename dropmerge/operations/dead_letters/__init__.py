"""`dropmerge dead-letters list | show | replay | discard`: messages that could not go on."""
