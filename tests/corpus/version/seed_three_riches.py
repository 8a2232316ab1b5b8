# context: rich==13.7.1
# heals: nothing
# three versions of one library, one after the other, in one program
import importlib.metadata
import sys
from omnipkg.loader import omnipkgLoader

seen = []
for version in ("13.4.2", "13.5.3", "13.7.1"):
    with omnipkgLoader("rich==" + version):
        assert importlib.metadata.version("rich") == version
        import rich.console
        module = sys.modules["rich.console"]
        assert rich.console is module and all(module is not other for other in seen)
        seen.append(module)
        print(importlib.metadata.version("rich"), rich.console.Console(width=20).width)
