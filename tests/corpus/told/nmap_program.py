import subprocess
print(subprocess.check_output("nmap --version".split()).decode())
