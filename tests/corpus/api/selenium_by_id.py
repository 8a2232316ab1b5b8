# context: selenium==4.10.0
# heals: selenium <4.3
from selenium.webdriver.remote.webdriver import WebDriver


class Recorded(WebDriver):
    def __init__(self):
        pass

    def find_element(self, by="id", value=None):
        return (by, value)


print(Recorded().find_element_by_id("search"))
