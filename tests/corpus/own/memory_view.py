memoryview(b"a")[5]
