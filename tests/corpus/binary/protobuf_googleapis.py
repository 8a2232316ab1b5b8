# python: 3.9
# context: googleapis-common-protos==1.53.0 protobuf==4.25.3
# heals: protobuf <3.21
from google.rpc import status_pb2
print(status_pb2.Status(code=5, message="not found").code)
