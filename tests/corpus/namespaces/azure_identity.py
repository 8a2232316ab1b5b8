# context: azure-core==1.30.2
# heals: add azure-identity
from azure.identity import DefaultAzureCredential
print(DefaultAzureCredential.__name__)
