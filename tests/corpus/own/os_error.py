import os
os.listdir("/no/such/folder")
