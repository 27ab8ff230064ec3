"""A first contract from a sample file: how the file is read, what its columns are, which of them are the key."""
