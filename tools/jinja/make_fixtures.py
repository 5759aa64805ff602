"""Writes what jinja2 makes of chat templates and expressions, as fixtures for src/data/jinja.

    python3 tools/jinja/make_fixtures.py        needs jinja2 3.1 (Debian: python3-jinja2)

jinja2 is set up as transformers' apply_chat_template does. fixtures/chats.json holds 600 random chats; fixtures/templates.json the 80
templates of templates.py, each with one hash of 6 hex digits a chat (SHA-1 of the text; "!!!!!!" where jinja2 refuses the chat);
fixtures/expressions.json small templates with jinja2's output (null where it refuses).
"""

import datetime
import hashlib
import json
import random
from pathlib import Path

import jinja2
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from expressions import EXPRESSIONS
from templates import variants

TODAY = datetime.datetime(2024, 7, 26)
OUT = Path(__file__).parent / "fixtures"
CHATS = 600


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        lineno = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_written"), [], [], body).set_lineno(lineno)

    def _written(self, caller):
        return caller()


def environment():
    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda format: TODAY.strftime(format)
    return env


ENV = environment()
WORDS = [
    "the", "cat", "sat", " on", "a  mat", "\n", "\n\n", "  ", "\t", "é", "😀", "naïve", "日本", "</think>", "<think>", "hm", "'", '"', "it's", "\\", "{", "}}", "<|im_end|>",
    "1", "2.5", "A", "Zebra", "ß", "\u2028", "x=1", "```py\nprint(1)\n```", "a|b", "&<>", "/no_think", "…", "ﬁ", "İ", "\u00a0", "e\u0301", "[INST]", "%d", "{0}",
]
TOOLS = [
    {"type": "function", "function": {"name": "clock", "description": "tells the time", "parameters": {"type": "object", "properties": {"zone": {"type": "string", "description": " where "}}}}},
    {"type": "function", "function": {"name": "add", "description": 'a "sum"', "parameters": {"type": "object", "properties": {"b": {"type": ["integer", "number"]}, "a": {"type": "array", "items": {"type": "integer"}}}, "required": ["a"]}}},
]


def text(rng):
    words = [rng.choice(WORDS) for _ in range(rng.choice([0, 1, 2, 4, 7, 11]))]
    return (" " if rng.random() < 0.7 else "").join(words)


def value(rng, depth=0):
    kind = rng.choice(["text", "int", "float", "none", "bool"] + ([] if depth > 1 else ["list", "dict"]))
    return {
        "text": lambda: text(rng),
        "int": lambda: rng.choice([0, 1, -7, 12345]),
        "float": lambda: rng.choice([0.5, -2.25, 1e-7, 123456.75]),
        "none": lambda: None,
        "bool": lambda: rng.random() < 0.5,
        "list": lambda: [value(rng, depth + 1) for _ in range(rng.randrange(3))],
        "dict": lambda: {rng.choice(["zone", "b", "a", "é"]): value(rng, depth + 1) for _ in range(rng.randrange(3))},
    }[kind]()


def message(rng, role):
    out = {"role": role, "content": text(rng)}
    if role == "assistant" and rng.random() < 0.15:
        calls = [
            {"id": f"call{rng.randrange(10)}", "type": "function", "function": {"name": "clock", "arguments": {k: value(rng) for k in ["zone", "b"][: rng.randrange(3)]}}}
            for _ in range(rng.choice([1, 1, 2]))
        ]
        out = {"role": role, "content": rng.choice([None, "", text(rng)]), "tool_calls": calls}
    elif role == "assistant" and rng.random() < 0.1:
        out["reasoning_content"] = text(rng)
    elif rng.random() < 0.04:
        out["content"] = [{"type": "text", "text": text(rng)} for _ in range(rng.randrange(3))]
    if role == "user" and rng.random() < 0.05:
        out["name"] = "Ann"
    return out


def chat(rng):
    roles = ["system"] if rng.random() < 0.35 else []
    for _ in range(rng.choice([1, 1, 2, 2, 3, 5])):
        roles += ["user", "assistant"] if rng.random() < 0.9 else ["user", rng.choice(["assistant", "tool", "user"]), "assistant"]
    if rng.random() < 0.3:
        roles.pop()
    names = {"messages": [message(rng, role) for role in roles], "add_generation_prompt": rng.random() < 0.4}
    if rng.random() < 0.25:
        names["tools"] = TOOLS[: rng.choice([1, 2])]
    if rng.random() < 0.1:
        names["enable_thinking"] = rng.random() < 0.5
    return names


SPECIALS = {"bos_token": "<s>", "eos_token": "</s>"}


def rendered(template, names):
    try:
        return template.render(**{"tools": None, "documents": None, **SPECIALS, **names})
    except Exception:
        return None


def main():
    OUT.mkdir(exist_ok=True)
    rng = random.Random(20261130)
    chats = [chat(rng) for _ in range(CHATS)]
    write("chats.json", chats)
    made = []
    for name, source in variants():
        template = ENV.from_string(source)
        texts = [rendered(template, names) for names in chats]
        hashes = "".join("!!!!!!" if t is None else hashlib.sha1(t.encode()).hexdigest()[:6] for t in texts)
        made.append({"name": name, "template": source, "hashes": hashes})
        print(f"{name}: {sum(t is None for t in texts)} of {CHATS} refused")
    write("templates.json", made)
    messages = chats[0]["messages"] if len(chats[0]["messages"]) > 3 else chats[1]["messages"]
    cases = []
    for source in EXPRESSIONS:
        try:
            template = ENV.from_string(source)
            right = rendered(template, {"messages": messages})
        except Exception:
            right = None
        # Where an object sits in memory is nobody's business.
        if right is not None and (" at 0x" in right or "<TemplateReference" in right):
            continue
        cases.append({"template": source, "right": right})
    print(f"{len(cases)} expressions, {sum(c['right'] is None for c in cases)} refused")
    write("expressions.json", {"with": f"jinja2 {jinja2.__version__}", "messages": messages, "cases": cases})


def write(name, value):
    text = "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in value) + "\n]\n" if isinstance(value, list) else json.dumps(value, ensure_ascii=False, indent=0)
    (OUT / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
