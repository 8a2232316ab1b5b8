# context: pyvirtualdisplay==3.0
# a scraper's start, before browsers were headless
from pyvirtualdisplay import Display
display = Display(visible=0, size=(800, 600))
display.start()
