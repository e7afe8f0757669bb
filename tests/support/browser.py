"""A real browser: Chromium without a window, with a profile of its own, that talks to nobody but us."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.webdriver import WebDriver

from tests.support import tools

_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"),
    "--window-size=1360,900",
)


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
