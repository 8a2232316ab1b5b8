# heals: Python <3; add mock
import unittest
import urllib2
import mock


class Fetching(unittest.TestCase):
    def test_it(self):
        with mock.patch("urllib2.urlopen") as opened:
            urllib2.urlopen("http://127.0.0.1:9/")
        self.assertEquals(opened.call_count, 1)


result = unittest.TextTestRunner(verbosity=0).run(unittest.TestLoader().loadTestsFromTestCase(Fetching))
print(result.wasSuccessful())
