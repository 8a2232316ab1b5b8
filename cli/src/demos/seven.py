"""A script that was written for one version of rich, and says so."""

import importlib.metadata

found = importlib.metadata.version("rich")
assert found == "13.4.2", "wrong rich: {}".format(found)

from rich.console import Console

Console().print("rich", found, "[bold]as this script wants it[/bold]")
