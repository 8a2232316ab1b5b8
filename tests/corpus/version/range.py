# context: click==8.1.7
# heals: click <8
import click
if int(click.__version__.split(".")[0]) >= 8:
    raise RuntimeError("click is too new")
print("range")
