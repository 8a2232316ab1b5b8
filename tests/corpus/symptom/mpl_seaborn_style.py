# context: matplotlib==3.8.4 numpy==1.26.4
# heals: matplotlib <3.8
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
plt.style.use("seaborn-whitegrid")
print(len(plt.rcParams["axes.prop_cycle"]) > 0)
