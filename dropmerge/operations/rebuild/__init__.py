"""A main table made anew from the archive: beside the live one, put in its place, or compared with it."""
