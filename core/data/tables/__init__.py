"""Tables of photos and facts: forms of files, words of other collections, what is wrong in a folder."""
