// LimnSynthesis
