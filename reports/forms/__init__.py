"""Reports as files: which form a name asks for, and how each is written."""

from .outputs import FORMS, check_output, is_document, write_document, write_report

__all__ = ["FORMS", "check_output", "is_document", "write_document", "write_report"]
