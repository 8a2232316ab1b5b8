# heals: Python ==2.7.*; add python-dateutil
import dateutil.parser
import pytz

when = dateutil.parser.parse("2012-03-04 05:06:07").replace(tzinfo=pytz.utc)
print "%s is day %d" % (when.date(), when.timetuple().tm_yday)
raise SystemExit, 0
