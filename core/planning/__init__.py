"""The entrance hall: what a user writes becomes a plan, and every name and option is checked before anything runs."""
