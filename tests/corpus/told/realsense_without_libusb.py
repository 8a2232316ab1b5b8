# context: pyrealsense2==2.54.1.5216
import pyrealsense2 as rs
print(rs.pipeline().__class__.__name__)
