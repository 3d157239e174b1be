// LimnImaging
