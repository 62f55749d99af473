import json

import pytest
from nasbench_toolkit.core.documents.records import describe_record, list_records
from nasbench_toolkit.core.documents.rendering import Format, render

HOSTILE = "\x1b]0;owned\x07\x9b31mred\u202eevil\ud800"


@pytest.mark.parametrize("output_format", list(Format))
@pytest.mark.parametrize("describe", [list_records, describe_record], ids=["rows", "record"])
def test_no_format_sends_a_control_character(output_format, describe) -> None:
    row = {"what" + HOSTILE: HOSTILE, "list": [HOSTILE], "settings": {HOSTILE: HOSTILE}}
    text = render(describe([row] if describe is list_records else {"rows": [row], **row}), output_format)
    assert not {character for character in text if character in HOSTILE and not character.isprintable()}
    assert r"x1b]0;owned" in text.replace("\\textbackslash{}", "\\").replace("u001b", "x1b")
    if output_format == Format.JSON:
        assert HOSTILE in str(json.loads(text)) or repr(HOSTILE)[1:-1] in str(json.loads(text))
