# context: networkx==3.2.1
# heals: networkx <2.4; Python <3.9
import networkx as nx
graph = nx.Graph()
graph.add_node(1, colour="red")
print(graph.node[1]["colour"])
