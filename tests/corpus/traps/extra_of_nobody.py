# context: rich==13.7.1
import rich
raise ImportError("please run: pip install acme-client[all]")
