# python: 3.9
# context: onnx==1.11.0 protobuf==4.21.12
# heals: protobuf <3.21
import onnx
print(onnx.__version__)
