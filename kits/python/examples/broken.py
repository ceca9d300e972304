"""The same with a mistake: a block is decided after f + 1 commits.

milp engine check "python3 kits/python/examples/broken.py"
"""

from dbft2 import Dbft2, serve


class Broken(Dbft2):
    name = "dbft2-broken"

    def enough(self):
        return self.f + 1


serve(Broken)
