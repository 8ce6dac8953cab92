import pytest

from frontend.export.menu import export_url
from frontend.ui.address import own_address


def test_addresses_in_pages_begin_with_the_base_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOSSBOARD_BASE_PATH", raising=False)
    assert own_address("/signin") == "/signin"
    monkeypatch.setenv("LOSSBOARD_BASE_PATH", "/lossboard")
    assert own_address("/signin") == "/lossboard/signin"
    assert export_url("c1", format="json") == "/lossboard/api/v1/comparisons/c1/export?format=json"
