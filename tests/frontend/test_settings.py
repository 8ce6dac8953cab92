from frontend.settings import Settings


def test_the_environment_replaces_the_default() -> None:
    assert Settings.from_environment({}).api_url == "http://127.0.0.1:8500"
    assert Settings.from_environment({"LOSSBOARD_API_URL": ""}) == Settings()
    assert Settings.from_environment({"LOSSBOARD_API_URL": "http://x:1/"}).api_url == "http://x:1"
