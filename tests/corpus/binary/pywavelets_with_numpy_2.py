# context: PyWavelets==1.4.1 numpy==2.0.2
# heals: numpy <2
import pywt
print(pywt.dwt([1.0, 1.0], "haar")[0].round(2).tolist())
