"""HAM10000 folders, splits, photos, patient facts, augmentation and batches."""
