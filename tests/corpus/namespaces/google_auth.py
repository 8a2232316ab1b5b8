# context: protobuf==4.25.3
# heals: add google-auth
from google.oauth2 import service_account
print(service_account.Credentials.__name__)
