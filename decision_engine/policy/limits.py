"""How large a policy may be. A limit on everything: a file is refused before it can hurt."""

from typing import Final

FILE_BYTES: Final = 16 * 1024 * 1024
JSON_DEPTH: Final = 64
NODES: Final = 200
EDGES: Final = 1_000
ROWS_PER_TABLE: Final = 20_000
ROWS: Final = 50_000
COLUMNS: Final = 200
CELLS: Final = 400_000
INPUTS: Final = 1_000
EXPRESSION_CHARACTERS: Final = 4_096
EXPRESSION_DEPTH: Final = 64
NUMBER_DIGITS: Final = 34
SCALE: Final = 12
WHOLE_DIGITS: Final = 18
SCORE_STEPS: Final = 10_000
