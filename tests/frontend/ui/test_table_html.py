"""Tables that scroll can be reached and are named."""

from frontend.ui import dataset_text
from frontend.ui.table_html import table_html


def test_a_table_that_scrolls_is_a_named_region_that_keys_reach() -> None:
    assert table_html("Ranks of <b> \"'", "<td></td>", "<tr></tr>") == (
        "<div class='lb-scroll' role='region' aria-label='Ranks of &lt;b&gt; &quot;&#x27;'"
        " tabindex='0'><table class='lb-table'><thead><tr><td></td></tr></thead>"
        "<tbody><tr></tr></tbody></table></div>"
    )
    tall = dataset_text.columns_table([])
    assert tall.startswith("<div class='lb-scroll lb-tall' role='region' aria-label='Columns'")
