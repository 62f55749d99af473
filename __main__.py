"""``python -m nasbench_toolkit`` is the same as ``nasbench``."""

from .command import main

if __name__ == "__main__":
    main()
