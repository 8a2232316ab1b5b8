# an old report generator
import subprocess
from subprocess import PIPE
with open("report.tex", "w") as file:
    file.write(r"\documentclass{article}\begin{document}x\end{document}")
out, err = subprocess.Popen(["pdflatex", "report.tex"], stdout=PIPE, stderr=PIPE).communicate()
print(len(out))
