from frontend.settings import Settings


def test_defaults_and_what_the_environment_says() -> None:
    assert Settings.from_environment({}).api_url == "http://127.0.0.1:8500"
    assert Settings.from_environment({"LOSSBOARD_API_URL": ""}) == Settings()
    assert Settings.from_environment({"LOSSBOARD_API_URL": "http://x:1/"}).api_url == "http://x:1"
