# context: rich==13.7.1
from rich import no_such_name_at_all
