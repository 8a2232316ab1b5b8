import geventt
