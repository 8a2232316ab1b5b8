# heals: add protobuf
import google.protobuf
from google.protobuf import json_format, struct_pb2
struct = struct_pb2.Struct()
struct["a"] = 1
print(json_format.MessageToDict(struct))
