import subprocess
with open("g.dot", "w") as file:
    file.write("digraph { a -> b }")
subprocess.check_call(["dot", "-Tpng", "g.dot", "-o", "g.png"])
