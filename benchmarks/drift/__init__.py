"""Does `tsur drift` keep silent where nothing has changed, and speak where something has?"""
