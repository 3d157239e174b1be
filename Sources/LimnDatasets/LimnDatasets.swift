// LimnDatasets
