"""The command-line tool behind `./alpmera`: one module per verb."""
