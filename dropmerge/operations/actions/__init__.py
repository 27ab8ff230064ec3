"""Actions on dead letters that go on without whoever asked: recorded first, carried out by another process."""
