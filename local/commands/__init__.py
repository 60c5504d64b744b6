"""The commands of `python -m local NAME`, each a module with `main(argv) -> exit code`.

Of `assess`, from the outside in: `assess` (arguments and the run), `parts` (what several processes judge at once),
`log_files` (what a file is) over `json_lines`, `json_records`, `csv_log` and `shapes` (what a record is), `judging`,
`lines` and `assess_table` (what is printed), `spool` and `roots` (what waits on disk). Imports shared/, nothing else of
local/.
"""
