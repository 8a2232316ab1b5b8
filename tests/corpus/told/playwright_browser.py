# context: playwright==1.47.0
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    browser = p.chromium.launch()
