# python: 3.11
# context: matplotlib==3.7.1 numpy==2.0.2
# heals: numpy <2
import matplotlib.pyplot
print(matplotlib.__version__)
