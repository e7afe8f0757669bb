"""A real browser, and who sits in front of it: Chromium without a window, with a profile of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.support import tools

_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"),
    "--window-size=1360,900",
)
_PATIENCE_SECONDS = 40.0


@contextlib.contextmanager
def browser(profile: Path, *, language: str = "en") -> Iterator[WebDriver]:
    """A browser whose person reads this language."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(tools.find("chromium"))
    for flag in (*_FLAGS, f"--user-data-dir={profile}", f"--accept-lang={language}"):
        options.add_argument(flag)
    service = webdriver.ChromeService(executable_path=str(tools.find("chromedriver")))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield driver
    finally:
        driver.quit()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with a browser in front of the pages, and with the token."""

    driver: WebDriver
    address: str
    token: str

    def go(self, page: str) -> None:
        """Open a page."""
        self.driver.get(self.address + page)

    def fill(self, name: str, text: str) -> None:
        """Write into a field."""
        field = self.driver.find_element(By.NAME, name)
        field.clear()
        field.send_keys(text)

    def press(self, label: str) -> None:
        """Press the button of this label."""
        self.driver.find_element(By.XPATH, f"//button[normalize-space()='{label}']").click()

    def follow(self, label: str) -> None:
        """Click on the link of this label."""
        self.driver.find_element(By.LINK_TEXT, label).click()

    def sees(self, text: str, *, within: str = "main") -> None:
        """Wait until a text is on the page, or in the part of it that a CSS selector names."""
        self.until(lambda: text in self.driver.find_element(By.CSS_SELECTOR, within).text)

    def until(self, test: Callable[[], bool]) -> None:
        """Wait until something holds; a page that is replaced while it is read is read again."""
        wait = WebDriverWait(
            self.driver,
            _PATIENCE_SECONDS,
            0.1,
            ignored_exceptions=[StaleElementReferenceException, NoSuchElementException],
        )
        wait.until(lambda _: test())

    def sign_in(self) -> None:
        """Sign in as kim, on the page that asks for it or from anywhere else."""
        if "/sign-in" not in self.driver.current_url:
            self.go("/sign-in")
        self.fill("name", "kim")
        self.fill("token", self.token)
        self.driver.find_element(By.CSS_SELECTOR, "button.primary").click()
        self.until(lambda: bool(self.driver.find_elements(By.CSS_SELECTOR, ".top nav")))

    def complaints(self) -> list[str]:
        """What the browser complained of, other than the statuses of refusals, which some tests ask for."""
        entries = self.driver.get_log("browser")  # type: ignore[no-untyped-call]  # selenium gives it no types
        severe = [str(entry["message"]) for entry in entries if entry["level"] == "SEVERE"]
        return [message for message in severe if "Failed to load resource" not in message]
