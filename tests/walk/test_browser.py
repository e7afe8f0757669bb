"""The walk of one push as a person sees it: the real service, a real clone, a real browser, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from console.demo.product import until
from tests.support.browser import Person, browser
from tests.walk.conftest import Bench

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium", "chromedriver")]
GREETING = "welcome to the shop"


@pytest.fixture
def kim(started: Bench, tmp_path: Path) -> Iterator[Person]:
    """Kim, who has the token of the service; at the end the browser has nothing to complain of."""
    token = (started.ground.state / "token").read_text(encoding="utf-8").strip()
    with browser(tmp_path / "profile") as driver:
        person = Person(driver=driver, address=started.service.url, token=token)
        yield person
        assert person.complaints() == []


def _boxes(person: Person) -> list[str]:
    """How the tasks stand, as the boxes of the graph are drawn."""
    found = person.driver.find_elements(By.CSS_SELECTOR, "svg.graph .box")
    return [" ".join((one.get_dom_attribute("class") or "").split()[2:]) for one in found]


def _panel(person: Person, pair: str) -> WebElement:
    """The panel of a pair on the application's page."""
    return person.driver.find_element(By.CSS_SELECTOR, f"[aria-labelledby='pair-{pair}']")


def test_a_push_is_approved_in_a_browser_and_a_change_by_hand_is_shown_side_by_side(
    started: Bench, kim: Person
) -> None:
    """Push, graph, plan, approval and verdicts in Korean; then the standby's drift, field by field, in English."""
    commit = started.push("The first version")
    run = started.waiting(commit)

    kim.go("/runs?state=waiting&lang=ko")
    kim.sign_in()
    kim.follow(run["name"])
    kim.sees("승인 대기", within="h1 + .chip")
    assert _boxes(kim) == ["succeeded"] * 5 + ["waiting", "pending"]
    for site in ("seoul", "sejong", "daegu"):
        kim.sees("ConfigMap shop/shop", within=f".approval .site[aria-label='{site}']")
    kim.sees(commit, within=".approval")
    kim.fill("comment", "정산 시간 이후에 배포")
    kim.press("승인")
    kim.sees("승인했습니다.")
    kim.sees("성공", within="h1 + .chip")
    kim.sees("kim", within=".decisions")
    kim.sees("정산 시간 이후에 배포", within=".decisions")
    assert _boxes(kim) == ["succeeded"] * 7

    kim.go("/applications/shop")
    until("every site is deployed", lambda: _deployed(kim) == ["배포됨"] * 3)
    kim.until(lambda: "일치" in _panel(kim, "seoul-sejong").text and "분산 보관됨" in _panel(kim, "seoul-daegu").text)
    kim.go("/")
    kim.sees("2 / 2", within=".tile.good")

    _edit_by_hand(started, "sejong")
    kim.go("/applications/shop?lang=en")
    kim.press("Compare now")
    kim.until(lambda: "Standby drift" in _panel(kim, "seoul-sejong").text)
    row = _panel(kim, "seoul-sejong").find_element(By.XPATH, ".//tr[contains(., 'data.GREETING')]")
    cells = [(one.text, one.get_dom_attribute("class")) for one in row.find_elements(By.CSS_SELECTOR, "td.value")]
    assert [text for text, _ in cells] == [GREETING, GREETING, GREETING, "changed by hand"]
    assert ["git" in (names or "").split() for _, names in cells] == [False, False, False, True]


def _deployed(person: Person) -> list[str]:
    return [one.text for one in person.driver.find_elements(By.CSS_SELECTOR, "[data-part=deployed] .chip")]


def _edit_by_hand(bench: Bench, site: str) -> None:
    (file,) = (bench.ground.site(site) / "cluster").rglob("ConfigMap.core/shop.yaml")
    text = file.read_text(encoding="utf-8")
    assert GREETING in text
    file.write_text(text.replace(GREETING, "changed by hand"), encoding="utf-8")
