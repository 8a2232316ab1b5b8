# context: azure-storage-blob==12.22.0
# heals: azure-storage-blob <12.0
from azure.storage.blob import BlockBlobService
print(BlockBlobService.__name__)
