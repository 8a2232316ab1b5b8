import subprocess
try:
    subprocess.call(["ffmpeg", "-version"])
except OSError:
    pass
raise ValueError("no frames")
