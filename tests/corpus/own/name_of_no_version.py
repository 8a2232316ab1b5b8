# context: networkx==3.2.1
# heals: own
# no version of it has this
import networkx as nx
nx.drawn_by_nobody(nx.Graph())
