"""`dropmerge explain`: what happened to my file, or why a row is as it is."""
