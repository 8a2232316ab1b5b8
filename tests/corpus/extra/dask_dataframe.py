# python: 3.10
# context: dask==2023.5.0
# heals: dask[dataframe]; numpy <2
import dask.dataframe as dd
print(dd.from_dict({"a": [1, 2, 3]}, npartitions=1)["a"].sum().compute())
