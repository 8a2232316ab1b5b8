# context: click==8.1.7
# heals: add packaging; click <8
# predicted: only
import sys
import click
from packaging import version
if version.parse(click.__version__) >= version.parse("8.0"):
    sys.stderr.write("click 8 is not supported\n")
    sys.exit(1)
print("seven")
