# context: transformers==4.30.2 numpy==1.26.4 tqdm==4.62.0
# heals: tqdm >=4.66
# the start of an example script
from transformers.utils.versions import require_version
require_version("tqdm>=4.66", "To fix: pip install -r examples/requirements.txt")
import tqdm
print(int(tqdm.__version__.split(".")[1]) >= 66)
