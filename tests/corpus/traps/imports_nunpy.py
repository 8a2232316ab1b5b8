import nunpy
