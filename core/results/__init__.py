"""Results files: layout, writing as results come, reading with care, merging."""
