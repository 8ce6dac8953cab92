"""What the saved picture of the forest plot shows."""

import json

from frontend.comparison.verdict.picture import forest_data
from frontend.ui.theme import arm_styles
from tests.support.verdicts import claim, evidence, not_measured, verdict


def test_the_picture_shows_what_the_page_does() -> None:
    one = evidence(differences=[-0.05, -0.06, -0.04])
    few = evidence(n=2, differences=[0.5, -0.5], verdict="undecided", bounds=None)
    sign = evidence(interval=None, simultaneous=None)
    found = verdict(claim(1, one, few), claim(2, not_measured(), sign, verdict="level"))
    styles = arm_styles(["other", "a <b>"])
    data = forest_data(found, styles, "digits")
    assert json.loads(json.dumps(data, allow_nan=False))
    assert (data["comparison"], data["over"]) == ("digits", "10 seeds on one split")
    assert data["a"]["name"] == "a <b>"
    assert data["a"]["light"] == styles["a <b>"].light
    first, second = data["claims"]
    assert (first["word"], first["said"], second["said"]) == ("supported", "Supported", "Level")
    whole, two = first["rows"]
    assert whole["wide"] == (-0.08, -0.02)
    assert whole["narrow"] == (-0.07, -0.03)
    assert whole["span"] >= 0.08
    assert (whole["mean"], whole["small"]) == ("−0.050", "−0.080 … −0.020")
    assert (two["few"], two["wide"], two["narrow"]) == (True, None, None)
    assert two["small"] == "2 seeds, no interval"
    nothing, signs = second["rows"]
    assert (nothing["difference"], nothing["mean"], nothing["small"]) == (None, "", "not measured")
    assert signs["small"] == "sign test, 10 seeds"
