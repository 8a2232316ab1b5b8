# heals: add matplotlib
from mpl_toolkits.mplot3d import Axes3D
print(Axes3D.name)
