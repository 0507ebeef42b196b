"""How large a policy may be. A limit on everything: a file is refused before it can hurt."""

from typing import Final

FILE_BYTES: Final = 16 * 1024 * 1024
JSON_DEPTH: Final = 64
NODES: Final = 200
EDGES: Final = 1_000
DECISION_DEPTH: Final = 5
ROWS_PER_TABLE: Final = 20_000
ROWS: Final = 50_000
COLUMNS: Final = 200
CELLS: Final = 400_000
#: Values that expression and function nodes name: keys, arguments and outputs, in all.
NAMED_VALUES: Final = 10_000
INPUTS: Final = 1_000
EXPRESSION_CHARACTERS: Final = 4_096
EXPRESSION_DEPTH: Final = 64
#: Sub-expressions of one expression or cell, its column's field counted wherever a test repeats it.
EXPRESSION_PARTS: Final = 20_000
#: Sub-expressions of a column's field, which every cell of the column repeats.
COLUMN_PARTS: Final = 32
NUMBER_DIGITS: Final = 34
#: Characters of each part of a dotted name.
NAME_CHARACTERS: Final = 64
NAME_PARTS: Final = 16
#: Warnings that are kept, and as many errors at least.
FINDINGS: Final = 500
SCALE: Final = 12
WHOLE_DIGITS: Final = 18
SCORE_STEPS: Final = 10_000
#: An exact result has no more digits, a quotient that nobody rounds exactly this many.
EXACT_DIGITS: Final = 60
QUOTIENT_DIGITS: Final = 28
POWER: Final = 64
LIST_ITEMS: Final = 1_000
RECORD_FIELDS: Final = 50
#: What a list brings may be gone through this many times by one function or closure.
VISITS: Final = 100_000
TEXT_CHARACTERS: Final = 64 * 1024
#: How much of a list a trace shows before it says the rest by its hash.
LIST_TEXT: Final = 512
