# heals: own
# the namespace itself is nobody's
import google.no_such_part_of_it
