import pytest
from nasbench_toolkit.core.plain_text import distinct_printable, printable, printable_lines, shortened

HOSTILE = "\x1b]0;owned\x07\x9b31mred\u202eevil\ud800"


def test_controls_are_shown_as_python_writes_them() -> None:
    assert printable_lines(HOSTILE) == r"\x1b]0;owned\x07\x9b31mred\u202eevil\ud800"
    assert printable_lines("two\nlines\tand größer, 日本") == "two\nlines\tand größer, 日本"
    assert printable_lines("a\rb\x00\x7f") == r"a\rb\x00\x7f"
    assert printable("two\nlines\tand größer, 日本") == r"two\nlines\tand größer, 日本"


def test_distinct_printable_keeps_different_names_different() -> None:
    assert distinct_printable("a\nb") == r"a\nb"
    assert distinct_printable(r"a\nb") == r"a\\nb"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x" * 40, "x" * 40),
        ("a" * 30 + "m" * 100 + "z" * 10, "a" * 30 + " ... (100 characters left out) ... " + "z" * 10),
    ],
)
def test_shortened_keeps_beginning_and_end(text, expected) -> None:
    assert shortened(text, 40) == expected
