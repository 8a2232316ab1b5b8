# heals: add psutil
import logging
import sys

log = logging.getLogger("tool")

try:
    import psutil
except ImportError as error:
    log.error("cannot import psutil: %s", error)
    sys.exit(1)
print(psutil.Process().is_running())
