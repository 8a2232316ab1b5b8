# context: google-cloud-core==2.4.1
# heals: add google-cloud-storage
from google.cloud import storage
print(storage.Bucket.__name__)
