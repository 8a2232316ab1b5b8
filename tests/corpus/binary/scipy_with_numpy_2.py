# python: 3.11
# context: h5py==3.8.0 numpy==2.0.2
# heals: numpy <2
import h5py
print(h5py.__version__)
