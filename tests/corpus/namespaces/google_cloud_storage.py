# heals: add google-cloud-storage
from google.cloud import storage
print(storage.Blob.__name__)
