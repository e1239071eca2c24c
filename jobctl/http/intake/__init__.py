"""Takes in files over HTTP: their format, their options, the file that they wait in, and the answer."""
