# heals: add azure-storage-blob
from azure.storage.blob import BlobServiceClient
print(BlobServiceClient.__name__)
