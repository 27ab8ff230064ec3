"""A main table is rebuilt from the archive: beside the live one, in its place, or to be compared with it."""
