"""ClickHouse's own engine in this process: asks what each line of standard input says, and answers in one line.

A question is {"sql": ..., "params": {...}}; the answer is {"rows": [...]} or {"error": ...}.
"""

import json
import sys

from chdb import session

engine = session.Session(sys.argv[1])
for line in sys.stdin:
    question = json.loads(line)
    try:
        text = str(engine.query(question["sql"], "JSONEachRow", params=question["params"]))
        answer = {"rows": [json.loads(row) for row in text.splitlines() if row.strip()]}
    except Exception as error:  # What the engine refuses is an answer too.
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
engine.close()
