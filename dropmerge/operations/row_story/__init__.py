"""What is known of one key: the row, and whatever else has it, merged or not."""
