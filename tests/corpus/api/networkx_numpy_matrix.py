# context: networkx==3.2.1 numpy==1.26.4
# heals: networkx <3.0
import networkx as nx
import numpy
print(nx.from_numpy_matrix(numpy.ones((2, 2))).number_of_nodes())
