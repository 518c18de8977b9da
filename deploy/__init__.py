"""Everything that runs Alpmera: the command-line tool, the local stack, the images and charts."""
