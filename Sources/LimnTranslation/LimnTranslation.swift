// LimnTranslation
