version = "1.2.3"
data = {"version": "1.2.4"}
assert data["version"] == version
