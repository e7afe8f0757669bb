"""When two URLs mean the same repository."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks import addresses

TEMPLATE = "https://git.bank.example/scm/{repository}.git"
part = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,10}", fullmatch=True).filter(lambda text: not text.endswith(".git"))
repositories = st.lists(part, min_size=1, max_size=3).map("/".join)


@given(
    repository=repositories,
    form=st.sampled_from(
        [
            "https://git.bank.example/scm/{}.git",
            "https://git.bank.example/scm/{}",
            "https://git.bank.example/scm/{}/",
            "http://kim:s3cret@git.bank.example:8080/scm/{}.git",
            "ssh://git@git.bank.example:2222/scm/{}.git",
            "git@git.bank.example:scm/{}.git",
            "git@git.bank.example:/scm/{}.git",
            "git.bank.example:scm/{}",
            "git://git.bank.example/scm/{}.git",
            "HTTPS://GIT.BANK.EXAMPLE/scm/{}.git",
            "https://git.bank.example./SCM/{}.git",
            "https://git.bank.example/scm/{}.git?a=b#c",
        ]
    ),
)
def test_every_way_to_write_a_url_names_the_same_repository(repository: str, form: str) -> None:
    """Scheme, user, port, ``.git``, a last slash and the case of the host make no difference."""
    assert addresses.repository_in(form.format(repository), TEMPLATE) == repository


@pytest.mark.parametrize(
    "url",
    [
        "https://git.bank.example.evil.example/scm/bank/pay.git",
        "https://evil.example/git.bank.example/scm/bank/pay.git",
        "https://git.bank.example@evil.example/scm/bank/pay.git",
        "https://git.bank.example/other/bank/pay.git",
        "https://git.bank.example/scm.git",
        "https://git.bank.example/scm/.git",
        "https://git.bank.example",
        "/srv/scm/bank/pay.git",
        "",
        "://",
        "https://[broken/scm/bank/pay.git",
        "https://git.bank.example/scm/은행",
    ],
)
def test_another_place_names_no_repository(url: str) -> None:
    """Another host, however it is dressed up, another path, and what is no URL."""
    assert addresses.repository_in(url, TEMPLATE) == ""


def test_repositories_on_disk_are_known_by_their_path() -> None:
    """A path, and the file URL of the same path."""
    template = "/srv/forge/{repository}.git"
    for url in ("/srv/forge/shop.git", "file:///srv/forge/shop.git", "file:///srv/forge/shop"):
        assert addresses.repository_in(url, template) == "shop"


def test_a_template_in_scp_form_is_a_template() -> None:
    """Configurations may use the short form of ssh."""
    template = "git@git.bank.example:{repository}.git"
    assert addresses.repository_in("https://git.bank.example/bank/pay", template) == "bank/pay"


def test_what_stands_after_the_repository_must_stand_there() -> None:
    """Some forges put something behind the name."""
    template = "https://forge.example/{repository}/repo"
    assert addresses.repository_in("https://forge.example/bank/pay/repo.git", template) == "bank/pay"
    assert addresses.repository_in("https://forge.example/bank/pay", template) == ""


@given(url=st.text(max_size=60), template=st.text(max_size=60))
def test_no_text_makes_the_comparison_fail(url: str, template: str) -> None:
    """Whatever is compared, there is an answer, and never more than what was in the URL."""
    assert addresses.repository_in(url, template) in url
    assert addresses.repository_in(url, TEMPLATE) in url
