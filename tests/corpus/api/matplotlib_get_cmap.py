# context: matplotlib==3.11.2
# heals: matplotlib !=3.9.0, <3.11
import matplotlib.cm
print(matplotlib.cm.get_cmap("viridis").name)
