import matplotlb
