"""HDF5 files: images to be written, and files of strangers, which a process of its own reads for this one.

HDF5 trusts the files that it opens: links and datasets lead to other files, texts lie where no checksum covers them,
and a damaged one may make it loop or crash. So files are opened in a process whose time and memory are limited, which
takes from them numbers, texts and attributes, refuses all that leads elsewhere, and sends what it took.
"""
