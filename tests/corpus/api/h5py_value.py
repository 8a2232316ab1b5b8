# context: h5py==3.11.0
# python: 3.8
# heals: h5py <3.0; numpy <1.24
import h5py
import numpy
with h5py.File("x.h5", "w", driver="core", backing_store=False) as file:
    print(file.create_dataset("a", data=numpy.arange(3)).value)
