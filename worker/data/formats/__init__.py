"""Readers of the file formats of data sets: recordings, pickles of CIFAR, lists of images."""
