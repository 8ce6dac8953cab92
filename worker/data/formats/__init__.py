"""Reading what data sets consist of: images, recordings, pickles, MATLAB files, lists."""
