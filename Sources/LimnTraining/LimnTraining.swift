// LimnTraining
