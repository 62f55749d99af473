"""Readers of images: those that installed packages bring along, official files, and a user's own."""
