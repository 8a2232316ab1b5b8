from common import things
