import pilow
