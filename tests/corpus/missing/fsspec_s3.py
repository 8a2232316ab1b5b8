# context: fsspec==2024.9.0
# heals: add s3fs
import fsspec
print(type(fsspec.filesystem("s3")).__name__)
