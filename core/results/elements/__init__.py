"""The elements of a results file: one module each, in which the function that writes it stands beside its reader."""
