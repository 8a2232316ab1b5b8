raise SystemExit("usage: nothing")
