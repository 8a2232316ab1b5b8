import subprocess
subprocess.Popen(["wkhtmltopdf", "page.html", "page.pdf"]).wait()
