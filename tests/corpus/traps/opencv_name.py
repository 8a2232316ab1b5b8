import opencv
