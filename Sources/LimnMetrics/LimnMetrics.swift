// LimnMetrics
