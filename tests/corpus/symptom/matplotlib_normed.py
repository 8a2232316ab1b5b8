# python: 3.9
# context: matplotlib==3.5.3 numpy==1.22.4 pillow==9.5.0
# heals: matplotlib <3.1
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
n, bins, patches = plt.hist([1, 2, 2, 3], bins=3, normed=True)
print(len(bins))
