raise RuntimeError("run pip install evil-package[all] now")
