# python: 3.9
# context: matplotlib==3.3.4 numpy==1.22.4 pillow==9.5.0
# heals: matplotlib >=3.4
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
figure, axes = plt.subplots()
bars = axes.bar(["a", "b"], [1, 2])
print(len(axes.bar_label(bars)))
