"""Small image data sets that installed packages bring along."""
