import asyncioo
