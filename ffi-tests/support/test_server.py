"""Tests of the misbehaving server: it must misbehave exactly as told. Runs all of test_server_*.py."""

import os
import sys
import unittest

sys.dont_write_bytecode = True

if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    unittest.main(module=None, argv=[sys.argv[0], "discover", "-s", here, "-p", "test_server_*.py", *sys.argv[1:]])
