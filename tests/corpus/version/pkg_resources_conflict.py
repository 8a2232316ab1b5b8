# context: setuptools==69.5.1 click==8.1.7 markupsafe==2.1.5 idna==3.7
# heals: click >=6, <8
# what this tool was written for
import pkg_resources
REQUIRED = ["idna>=2.5", "click>=6,<8", "MarkupSafe"]
pkg_resources.require(REQUIRED)
import click
print(click.__version__.split(".")[0])
