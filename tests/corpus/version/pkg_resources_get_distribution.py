# context: setuptools==69.5.1
# heals: add pyyaml
from pkg_resources import DistributionNotFound, get_distribution
print(get_distribution("PyYAML>=5").project_name)
