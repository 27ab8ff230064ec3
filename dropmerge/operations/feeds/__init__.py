"""`dropmerge feeds check | show | init`: contracts before they are deployed."""
