"""What commands print: one document in any format, a table for people, Markdown, LaTeX, CSV or JSON."""
