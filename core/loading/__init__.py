"""What is found and checked when a plugin is loaded."""
