# heals: Python ==2.7.*; add requests
#!/usr/bin/env python
# -*- coding: utf-8 -*-
# fetches a page's title
import sys
import yaml
import requests

CONFIG = yaml.load("url: http://127.0.0.1:9/\ntimeout: 1\n", Loader=yaml.SafeLoader)


def fetch(url):
    try:
        return requests.get(url, timeout=CONFIG["timeout"]).text
    except requests.exceptions.RequestException, e:
        print "failed:", e.__class__.__name__
        return u""


print "length %d" % len(fetch(CONFIG["url"]))
