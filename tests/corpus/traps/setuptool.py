import setuptool
