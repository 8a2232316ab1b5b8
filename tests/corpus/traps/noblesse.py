import noblesse2
