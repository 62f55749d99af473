"""What plugins may change in a process besides what they compute, noted and put back."""
