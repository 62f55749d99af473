import pytest
from nasbench_toolkit.core.errors import InvalidArchitectureError
from nasbench_toolkit.plugins.search_spaces.nds.anynet.design import RESNET, RESNEXT_A, RESNEXT_B, Stage

BOTTLENECKS = "d16w64r4g2 d1w128r4g1 d4w16r4g2"


def test_a_design_is_read_and_written():
    stages = RESNEXT_A.parse(BOTTLENECKS)
    assert stages == (Stage(16, 64, 4, 2), Stage(1, 128, 4, 1), Stage(4, 16, 4, 2))
    assert RESNEXT_A.text(stages) == BOTTLENECKS
    assert RESNET.parse("d12w24 d12w24 d12w40") == (Stage(12, 24), Stage(12, 24), Stage(12, 40))


def test_blanks_and_leading_zeros_do_not_matter():
    assert RESNET.text(RESNET.parse("  d01w16\td2w0024\n d3w40 ")) == "d1w16 d2w24 d3w40"


def test_decisions_make_a_design():
    stages = RESNEXT_A.parse(BOTTLENECKS)
    assert RESNEXT_A.decided(stages) == [16, 64, 4, 2, 1, 128, 4, 1, 4, 16, 4, 2]
    assert RESNEXT_A.design(RESNEXT_A.decided(stages)) == stages
    assert RESNET.design([1, 16, 2, 24, 3, 40]) == RESNET.parse("d1w16 d2w24 d3w40")


@pytest.mark.parametrize(
    ("definition", "text", "message"),
    [
        (RESNET, "", "has 0 stages, expected 3 with blanks between them, as in 'd1w16 d2w24 d3w32'"),
        (RESNET, "d1w16 d1w16", "has 2 stages, expected 3"),
        (RESNET, "d1w16 d1w16 d1w16 d1w16", "has 4 stages, expected 3"),
        (RESNET, "d1w16 w16d1 d1w16", "stage 2 is 'w16d1', expected 'd' and the depth, 'w' and the width, as in 'd1w1"),
        (RESNET, "d1w16 d1w16 d1w16r1g1", "stage 3 is 'd1w16r1g1'"),
        (RESNET, "d1w16 d1w16 d-1w16", "stage 3 is 'd-1w16'"),
        (RESNET, "d1w16 d1w16 d١w16", "stage 3 is 'd١w16'"),
        (RESNET, "d1w16 d1w16 d1w" + "1" * 5000, "stage 3 is 'd1w1111"),
        (RESNET, "d1w16 d1w17 d1w16", "stage 2 has the width 17; choose from 16, 24, 32, 40"),
        (RESNET, "d0w16 d1w16 d1w16", "stage 1 has the depth 0; choose from 1, 2, 3, 4, 6, 8, 12, 16, 24"),
        (RESNEXT_A, "d1w16r1g1 d1w16 d1w16r1g1", "stage 2 is 'd1w16', expected .* 'r' and the ratio, 'g' and the gro"),
        (RESNEXT_A, "d1w16r1g1 d1w16r8g1 d1w16r1g1", "stage 2 has the ratio 8; choose from 1, 2, 4"),
        (RESNEXT_A, "d1w16r1g1 d1w16r1g1 d1w16r1g8", "stage 3 has the groups 8; choose from 1, 2, 4"),
        (RESNEXT_B, "d1w16r1g1 d1w64r1g1 d1w64r1g1", "stage 1 has the width 16; choose from 64, 128, 256, 512, 1024"),
    ],
)
def test_what_is_no_design_is_refused(definition, text, message):
    with pytest.raises(InvalidArchitectureError, match=message) as caught:
        definition.parse(text)
    assert len(str(caught.value)) < 400
