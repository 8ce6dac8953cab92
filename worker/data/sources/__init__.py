"""Where the files of data sets come from: folders, archives, downloads, uploads."""
