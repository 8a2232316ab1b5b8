# context: shapely==2.1.0 numpy==1.26.4
# heals: shapely <2.1
from shapely.geometry import Point
from shapely.ops import cascaded_union
print(cascaded_union([Point(0, 0).buffer(1), Point(0.5, 0).buffer(1)]).geom_type)
