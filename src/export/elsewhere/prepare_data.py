#!/usr/bin/env python3
"""Usage: prepare_data.py DATA [field=column ...]

Reads .jsonl, .csv or .txt with messages; prompt and completion; instruction, input and output; or text, and writes
train.jsonl (axolotl) and lmflow-data/train.json (LMFlow)."""
import csv
import json
import os
import sys

path = sys.argv[1]
columns = dict(pair.split("=", 1) for pair in sys.argv[2:])


def records():
    with open(path, encoding="utf-8-sig", newline="") as file:
        if path.lower().endswith(".csv"):
            yield from csv.DictReader(file)
        elif path.lower().endswith(".txt"):
            yield {"text": file.read()}
        else:
            for line in file:
                if line.strip():
                    yield json.loads(line)


def turns(value, role):
    return value if isinstance(value, list) else [{"role": role, "content": value}]


def convert(record):
    get = lambda field: record.get(columns.get(field, field))
    if get("messages") is not None:
        messages = get("messages")
        return {"messages": json.loads(messages) if isinstance(messages, str) else messages}
    if get("prompt") is not None and get("completion") is not None:
        return {"messages": turns(get("prompt"), "user") + turns(get("completion"), "assistant")}
    if get("instruction") is not None and get("output") is not None:
        asked = get("instruction") + ("\n\n" + get("input") if get("input") else "")
        return {"messages": turns(asked, "user") + turns(get("output"), "assistant")}
    if get("text") is not None:
        return {"text": get("text")}
    sys.exit("prepare_data.py: a row has none of the known fields; it has " + ", ".join(record))


def conversation(number, row):
    messages = list(row["messages"])
    system = messages.pop(0)["content"] if messages[0]["role"] == "system" else ""
    return {"conversation_id": number, "system": system, "tools": [], "messages": messages}


rows = [convert(record) for record in records()]
kinds = {tuple(row) for row in rows}
if len(kinds) != 1:
    sys.exit("prepare_data.py: there are no rows, or conversations and texts in one file.")
with open("train.jsonl", "w", encoding="utf-8") as file:
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
chat = kinds == {("messages",)}
instances = [conversation(number, row) for number, row in enumerate(rows)] if chat else rows
os.makedirs("lmflow-data", exist_ok=True)
with open(os.path.join("lmflow-data", "train.json"), "w", encoding="utf-8") as file:
    json.dump({"type": "conversation" if chat else "text_only", "instances": instances}, file, ensure_ascii=False)
print(len(rows), "rows")
