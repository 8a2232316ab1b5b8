# context: graphviz==0.20.3
import graphviz
graph = graphviz.Digraph()
graph.edge("a", "b")
graph.render("graph", format="png")
