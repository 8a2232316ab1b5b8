# context: transformers==4.30.2 numpy==1.26.4 tqdm==4.62.0
# heals: transformers >=4.31.0
from transformers.utils import check_min_version
check_min_version("4.31.0")
print("new enough")
