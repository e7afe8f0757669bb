"""The pages in a real browser: signing in, answering, following what happens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By

from lockstep.store import tables
from tests.support import bank, pages, serving
from tests.support.browser import Person, browser
from tests.support.pages import House

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium", "chromedriver")]
RUN = "/runs/pay-deliver-m3v8q"


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """One browser for all tests here; each begins without cookies."""
    with browser(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture
def person(driver: WebDriver, house: House) -> Iterator[Person]:
    """A person who has not signed in; at the end the browser has nothing to complain of."""
    with serving.served(house.app) as port:
        driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        someone = Person(driver=driver, address=f"http://127.0.0.1:{port}", token=pages.TOKEN)
        yield someone
        assert someone.complaints() == []
        driver.get("about:blank")


def test_a_person_signs_in_with_the_token(person: Person) -> None:
    """A wrong token is said; the right one leads to the page that was asked for."""
    person.go(RUN)
    person.fill("token", "wrong")
    person.press("Sign in")
    person.sees("This is not the token.")
    person.fill("name", "kim")
    person.fill("token", pages.TOKEN)
    person.press("Sign in")
    person.sees("pay-deliver-m3v8q")
    assert person.driver.current_url == person.address + RUN
    assert person.driver.execute_script("return document.cookie") == ""


def test_a_person_changes_language_and_theme_and_both_stay(person: Person) -> None:
    """One click each, and the next page has them too."""
    person.sign_in()
    person.follow("한국어")
    person.sees("최신 근거로 확인된 일치")
    person.driver.find_element(By.CSS_SELECTOR, ".to-dark").click()
    person.go("/mirrors")
    person.sees("git 저장소")
    root = person.driver.find_element(By.TAG_NAME, "html")
    assert (root.get_attribute("lang"), root.get_attribute("data-theme")) == ("ko", "dark")
    background = person.driver.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
    assert background == "rgba(15, 20, 26, 1)"


def test_a_person_approves_with_name_and_comment(person: Person, house: House) -> None:
    """The name of the session stands there already; the answer is handed on as it was written."""
    person.sign_in()
    person.go(RUN)
    person.fill("comment", "정산 시간 이후에 배포")
    person.press("Approve")
    person.sees("Approved.")
    (answer,) = house.acted.answers
    assert (answer.by, answer.approve, answer.comment) == ("kim", True, "정산 시간 이후에 배포")


def test_a_post_without_the_csrf_token_is_refused(person: Person, house: House) -> None:
    """Even a script of the page itself, with the session's cookie, does nothing without the token."""
    person.sign_in()
    person.go(RUN)
    status = person.driver.execute_async_script(
        "const done = arguments[1];"
        "fetch(arguments[0], {method: 'POST', body: new URLSearchParams({decision: 'approve', by: 'mallory'})})"
        ".then((answer) => done(answer.status), () => done(0))",
        f"{RUN}/approvals/1",
    )
    assert status == 400
    assert house.acted.answers == []


def test_a_log_grows_while_a_person_looks_at_it(person: Person, house: House) -> None:
    """What a step writes appears by itself, also letters that mean something in HTML."""
    with house.context.database.write() as connection:
        number = bank.run(connection, "live", state="running", status="Unknown", reason="Running", ended_at=None)
        task = bank.task(connection, number, bank.STAGES[2], state="running", status="Unknown", ended_at=None)
        bank.log(connection, task, "compile", ["begun"])
    person.sign_in()
    person.go("/runs/live")
    person.sees("begun")
    with house.context.database.write() as connection:
        bank.log(connection, task, "compile", ["<b>still</b> & 컴파일"])
    person.sees("<b>still</b> & 컴파일")


def test_a_run_goes_on_while_a_person_looks_at_it(person: Person, house: House) -> None:
    """The state changes by itself, and a comment that is being written is not swapped away."""
    person.sign_in()
    person.go(RUN)
    person.fill("comment", "half a sent")
    with house.context.database.write() as connection:
        ended = {"state": "ended", "status": "False", "reason": "Cancelled", "message": "stopped by lee"}
        connection.execute(tables.runs.update().where(tables.runs.c.name == RUN.removeprefix("/runs/")).values(ended))
    person.sees("stopped by lee")
    assert person.driver.find_element(By.NAME, "comment").get_attribute("value") == "half a sent"


def test_nothing_moves_under_a_person_while_a_run_goes_on(person: Person, house: House) -> None:
    """Focus, an opened task and how far its log was scrolled stay, although a task is added above and below changes."""
    with house.context.database.write() as connection:
        number = bank.run(connection, "live", state="running", status="Unknown", reason="Running", ended_at=None)
        task = bank.task(connection, number, bank.STAGES[2])
        bank.log(connection, task, "compile", [f"line {count}" for count in range(200)])
    person.sign_in()
    person.go("/runs/live")
    opened = person.driver.find_element(By.CSS_SELECTOR, f"#task-{task} summary")
    opened.click()
    person.sees("line 199")
    log = person.driver.find_element(By.CSS_SELECTOR, f"#task-{task} pre")
    person.driver.execute_script("arguments[0].scrollTop = 120", log)
    stop = person.driver.find_element(By.XPATH, "//button[normalize-space()='Stop']")
    person.driver.execute_script("arguments[0].focus()", stop)
    with house.context.database.write() as connection:
        bank.task(connection, number, bank.STAGES[3], message="pushed by its digest")
        renamed = tables.runs.update().where(tables.runs.c.id == number)
        connection.execute(renamed.values(message="three of seven"))
    person.sees("pushed by its digest")
    person.sees("three of seven")
    assert person.driver.switch_to.active_element == stop
    assert log.get_property("scrollTop") == 120
    assert opened.is_displayed()


def test_a_button_that_means_another_run_is_not_the_one_that_was_focused(person: Person, house: House) -> None:
    """A list that grows at its top takes nobody's focus to the row that slipped into the place."""
    person.sign_in()
    person.go("/runs?application=ledger")
    link = person.driver.find_element(By.LINK_TEXT, "ledger-deliver-9fh4z")
    person.driver.execute_script("arguments[0].focus()", link)
    with house.context.database.write() as connection:
        bank.run(connection, "ledger-deliver-newer", application="ledger")
    person.sees("ledger-deliver-newer")
    assert person.driver.switch_to.active_element.text == "ledger-deliver-9fh4z"


def test_a_page_works_by_keyboard(person: Person) -> None:
    """The first key leads past the menu; a task of the graph opens its log by Enter."""
    person.sign_in()
    person.go("/runs/ledger-deliver-9fh4z")
    person.driver.switch_to.active_element.send_keys("\ue004")  # Tab
    assert person.driver.switch_to.active_element.text == "Skip to content"
    box = person.driver.find_element(By.CSS_SELECTOR, "svg a[href]")
    person.driver.execute_script("arguments[0].focus()", box)
    person.driver.switch_to.active_element.send_keys("\ue007")  # Enter
    person.sees("source-get-from-git")
    named = person.driver.current_url.partition("#")[2]
    person.until(lambda: person.driver.find_element(By.ID, named).get_attribute("open") == "true")
