# context: rich==13.7.1
import rich.no_such_submodule
