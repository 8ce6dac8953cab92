"""Which servers may be called, and at which addresses."""

import re

import pytest

from backend.http.outgoing_hosts import OutgoingHosts, address_problem, masked

HOSTS = OutgoingHosts.parse(
    "hooks.slack.com, *.example.org,hooks.example.com:8443, private:10.0.0.5:9000,"
    "private:ci.internal,private:[::1]:9000,203.0.113.7"
)


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://hooks.slack.com/services/T/B/x", "hooks.slack.com", "/services/T/B/x"),
        ("https://HOOKS.slack.com.:443", "hooks.slack.com", "/"),
        ("https://a.b.example.org?x=1#part", "a.b.example.org", "/?x=1"),
        ("https://hooks.example.com:8443/", "hooks.example.com:8443", "/"),
        ("http://10.0.0.5:9000/hook", "10.0.0.5:9000", "/hook"),
        ("https://10.0.0.5:9000/hook", "10.0.0.5:9000", "/hook"),
        ("http://ci.internal/hook", "ci.internal", "/hook"),
        ("http://[::1]:9000/hook", "[::1]:9000", "/hook"),
        ("https://203.0.113.7/", "203.0.113.7", "/"),
    ],
)
def test_hosts_that_are_listed_may_be_called(url: str, authority: str, path: str) -> None:
    target = HOSTS.target(url)
    assert (target.authority, target.path) == (authority, path)
    assert target.private == any(one in url for one in ("10.0.0.5", "ci.internal", "::1"))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://hooks.slack.com/secret", "must begin with https://"),
        ("ftp://hooks.slack.com/secret", "must begin with https://"),
        ("hooks.slack.com/secret", "must begin with https://"),
        ("https://hooks.slack.com:8443/secret", "port 8443 of hooks.slack.com is not allowed"),
        ("https://hooks.example.com/secret", "port 443 of hooks.example.com is not allowed"),
        ("http://ci.internal:22/secret", "port 22 of ci.internal is not allowed"),
        ("https://example.org/secret", "the host example.org is not allowed"),
        ("https://.example.org/secret", "has no valid host"),
        ("https://evilexample.org/secret", "the host evilexample.org is not allowed"),
        ("https://hooks.slack.com.evil.org/secret", "is not allowed"),
        ("https://hooks.slack.com@evil.org/secret", "must not contain a user"),
        ("https://evil.org#@hooks.slack.com/secret", "the host evil.org is not allowed"),
        ("https://evil.org\\@hooks.slack.com/secret", "characters that no address has"),
        ("https://hooks.slack.com/a secret", "characters that no address has"),
        ("https://hooks.slack.com/secret\r\nX: y", "characters that no address has"),
        ("https://hööks.slack.com/secret", "characters that no address has"),
        ("https://[::1/secret", "is not a valid address"),
        ("https://hooks.slack.com:99999/secret", "is not a valid address"),
        ("https://hooks.slack.com:0/secret", "has no valid host"),
        ("https://2130706433/secret", "is not allowed"),
        ("https:///secret", "has no valid host"),
        (f"https://hooks.slack.com/{'x' * 2000}", "at most 2000"),
    ],
)
def test_others_are_refused_without_repeating_what_is_secret(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as refused:
        HOSTS.target(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["*", "https://hooks.slack.com", "a b", "host:0", "host:70000", "private:", "[::1", "*.*.org"],
)
def test_a_setting_that_names_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="which is not a host; give such as"):
        OutgoingHosts.parse(text)


PUBLIC = ("8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")
OWN = (
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "::1", "fd00::1", "127.9.9.9"),
    *("100.64.0.1", "fec0::1", "::ffff:10.0.0.1"),
)
EMBEDDED = ("64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "::ffff:169.254.169.254")
NEVER = (
    "169.254.169.254",
    "fe80::1%eth0",
    "224.0.0.1",
    "ff02::1",
    "0.0.0.0",
    "::",
    "255.255.255.255",
    "240.0.0.1",
    "100.100.100.200",
    "fd00:ec2::254",
    "::127.0.0.1",
    *EMBEDDED[1:],
)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_called(address: str) -> None:
    assert address_problem(address, private=False) is None
    assert address_problem(address, private=True) is None


@pytest.mark.parametrize("address", OWN)
def test_own_and_private_addresses_are_called_where_they_are_listed_so(address: str) -> None:
    assert "which is not public" in str(address_problem(address, private=False))
    assert address_problem(address, private=True) is None


@pytest.mark.parametrize("address", [*NEVER, *EMBEDDED])
def test_others_are_never_called(address: str) -> None:
    assert address_problem(address, private=False) is not None
    if address in NEVER:
        assert "which is never called" in str(address_problem(address, private=True))


def test_people_see_the_host_alone() -> None:
    assert masked("https://hooks.slack.com/services/T0/B0/secret") == "https://hooks.slack.com/…"
    assert masked("https://hooks.example.com:8443?key=secret") == "https://hooks.example.com:8443/…"
    assert masked("http://ci.internal/") == "http://ci.internal"
