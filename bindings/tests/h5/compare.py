"""Compares the traces of both sides, and says whose each difference is.

compare.py --self-test

A difference is a step that only one side has, a step that has another place, or a field with another value. The rules
of differences.json name them. A difference without a rule is an error, and so is a rule that nothing needs any more.
differences.txt has every single one, so that a rule hides nothing new.

A rule: `when`, patterns for fields of a difference, see matches(); `whose`; `what` and `why`, for the table; `h5` and
`ours`, what the table shows instead of the values that were seen; `varies`: 1 if another version of the browser may
differ, so that its differences are not in differences.txt.
"""

import json
import sys
import textwrap
from collections import namedtuple
from fnmatch import fnmatchcase

# what: `presence`, `order`, or the name of a field. h5, ours: the values, None where the step is not there.
Difference = namedtuple("Difference", "scenario lane step what h5 ours")

WHOSE = {
    "ours": "Ours, to be mended",
    "theirs": (
        "Taro-H5's: against Taro's typings, the mini programs that it stands for, or what a browser's WebSocket does"
    ),
    "limit": "Limits of the platform: what a browser does by itself, cannot do, or does not tell",
}


def aligned(left, right):
    """Pairs of indexes of a longest common subsequence."""
    lengths = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in reversed(range(len(left))):
        for j in reversed(range(len(right))):
            same = left[i] == right[j]
            lengths[i][j] = lengths[i + 1][j + 1] + 1 if same else max(lengths[i + 1][j], lengths[i][j + 1])
    pairs, i, j = [], 0, 0
    while i < len(left) and j < len(right):
        if left[i] == right[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def in_lane(scenario, lane, h5, ours):
    """Differences of one lane: lists of (step, fields)."""
    names = [step for step, _ in h5], [step for step, _ in ours]
    pairs = aligned(*names)
    only_h5 = [i for i in range(len(h5)) if i not in {i for i, _ in pairs}]
    only_ours = [j for j in range(len(ours)) if j not in {j for _, j in pairs}]

    def place(steps, index):
        return "after " + steps[index - 1] if index else "first"

    found = []
    # The same step at both sides, in another place.
    for i in list(only_h5):
        j = next((j for j in only_ours if names[1][j] == names[0][i]), None)
        if j is not None:
            found.append(Difference(scenario, lane, names[0][i], "order", place(names[0], i), place(names[1], j)))
            only_h5.remove(i)
            only_ours.remove(j)
            pairs.append((i, j))
    found += [Difference(scenario, lane, names[0][i], "presence", told(h5[i][1]), None) for i in only_h5]
    found += [Difference(scenario, lane, names[1][j], "presence", None, told(ours[j][1])) for j in only_ours]
    for i, j in sorted(pairs):
        step, mine = h5[i]
        other = ours[j][1]
        for field in [*mine, *(field for field in other if field not in mine)]:
            if mine.get(field) != other.get(field):
                found.append(Difference(scenario, lane, step, field, mine.get(field), other.get(field)))
    return found


def told(fields):
    return ", ".join(f"{name} {value}" for name, value in fields.items()) or "yes"


def differences(h5, ours):
    found = []
    for scenario in h5:
        for lane in [*h5[scenario], *(lane for lane in ours[scenario] if lane not in h5[scenario])]:
            found += in_lane(scenario, lane, h5[scenario].get(lane, []), ours[scenario].get(lane, []))
    return found


def matches(rule, difference):
    """A rule's `when` has patterns for some of a difference's fields, or lists of them; `-` is a value that is not
    there."""
    for name, patterns in rule["when"].items():
        value = getattr(difference, name)
        value = "-" if value is None else value
        if not any(fnmatchcase(value, pattern) for pattern in ([patterns] if isinstance(patterns, str) else patterns)):
            return False
    return True


def judge(found, rules):
    """([(rule, its differences)], differences without a rule, what is wrong with rules). The first rule that matches
    has it."""
    used = [(rule, []) for rule in rules]
    unknown = []
    for difference in found:
        home = next((mine for rule, mine in used if matches(rule, difference)), unknown)
        home.append(difference)
    wrong = [f"this difference is no more: {rule['what']} {rule['when']}" for rule, mine in used if not mine]
    return used, unknown, wrong


def listed(used):
    """Every difference, the same ones together: differences.txt."""
    groups = {}
    for rule, mine in used:
        for difference in [] if "varies" in rule else mine:
            scenario, *rest = difference
            groups.setdefault(tuple("-" if part is None else part for part in rest), []).append(scenario)
    parts = []
    for (lane, step, what, h5, ours), scenarios in sorted(groups.items()):
        names = textwrap.fill(" ".join(sorted(scenarios)), 118, initial_indent="  ", subsequent_indent="  ")
        parts.append(f"{lane} / {step} / {what}: {h5} | {ours}\n{names}\n")
    return "".join(parts)


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


def code(value):
    if value is None:
        return "–"
    # A backtick inside needs a longer fence.
    return f"`{value}`" if "`" not in value else f"`` {value} ``"


def values(rule, mine, side):
    """What the table shows of a side: the rule's words, or what was seen."""
    if side in rule:
        return rule[side]
    seen = sorted({getattr(difference, side) for difference in mine}, key=lambda value: (value is None, value))
    shown = ", ".join(map(code, seen[:3]))
    return shown + (" …" if len(seen) > 3 else "")


def table(used, whose):
    rows = ["| what | Taro-H5 | libtaro_socket | why | seen in |", "|---|---|---|---|---|"]
    for rule, mine in used:
        if rule["whose"] == whose:
            where = sorted({difference.scenario for difference in mine})
            seen = ", ".join(where[:4]) + (f" and {len(where) - 4} more" if len(where) > 4 else "")
            rows.append(
                "| "
                + " | ".join(
                    map(cell, (rule["what"], values(rule, mine, "h5"), values(rule, mine, "ours"), rule["why"], seen))
                )
                + " |"
            )
    return "\n".join(rows)


def document(head, used):
    """docs/h5-differences.md."""
    parts = [head.rstrip()]
    for whose, title in WHOSE.items():
        named = any(rule["whose"] == whose for rule, _ in used)
        parts += ["## " + title, table(used, whose) if named else "None."]
    return "\n\n".join(parts) + "\n"


def self_test():
    def one(*steps):
        return {"a": {"socket": [(step, {"x": value}) for step, value in steps]}}

    same = one(("call", "1"), ("open", "2"))
    assert differences(same, same) == []
    moved = differences(
        one(("call", "1"), ("done", "1"), ("back", "1")), one(("call", "1"), ("back", "1"), ("done", "2"))
    )
    assert [d.what for d in moved] == ["order", "x"], moved
    assert moved[0][3:] in [("order", "after call", "after back"), ("order", "after done", "after call")], moved
    gone = differences(same, one(("call", "1")))
    assert gone == [Difference("a", "socket", "open", "presence", "x 2", None)]
    new = differences(one(("call", "1")), same)
    assert new == [Difference("a", "socket", "open", "presence", None, "x 2")]
    lane = differences(same, {"a": {**same["a"], "wire": [("request", {})]}})
    assert [d.lane for d in lane] == ["wire"]

    rule = {
        "when": {"step": ["open", "close"], "what": "presence", "ours": "-"},
        "whose": "limit",
        "what": "w",
        "why": "y",
    }
    used, unknown, wrong = judge(gone, [rule])
    assert used[0][1] == gone and not unknown and not wrong
    used, unknown, wrong = judge(new, [rule])
    assert not used[0][1] and unknown == new and len(wrong) == 1
    used = judge(gone, [rule])[0]
    assert listed(used) == "socket / open / presence: x 2 | -\n  a\n"
    assert listed([({**rule, "varies": 1}, gone)]) == ""
    assert "| w | `x 2` | – | y | a |" in table(judge(gone, [rule])[0], "limit")


if __name__ == "__main__":
    if sys.argv[1:] != ["--self-test"]:
        sys.exit(__doc__)
    self_test()
    print("compare.py: the self-test passed")
