# context: scipy==1.14.1
# heals: scipy <1.13
from scipy import signal
print(len(signal.hann(8)))
