"""Tables of trained performance: reading, checking, storing and looking up."""
