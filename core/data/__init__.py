"""The data directory: what users have imported, and the downloads of official files."""
