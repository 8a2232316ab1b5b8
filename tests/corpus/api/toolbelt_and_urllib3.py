# context: requests-toolbelt==0.10.1 requests==2.31.0 urllib3==2.2.3
# heals: urllib3 <2.0
from requests_toolbelt.multipart.encoder import MultipartEncoder
print(MultipartEncoder({"a": "1"}, boundary="x").content_type)
