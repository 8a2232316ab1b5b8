raise TimeoutError("the server took too long")
