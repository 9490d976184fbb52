#!/usr/bin/env python3
"""The same scripts on Taro's own H5 in Chromium, and on a mini host in the H5 flavour; side by side.

run.py --host "PROGRAM [OPTION...]" --certs DIR --work DIR --npm DIR [--update] [SCENARIO...]
run.py --npm DIR --install

The host is run as PROGRAM OPTION... --flavour h5 APP_FOLDER -- ARGUMENT for each scenario. Fails if there is a
difference that differences.json does not name, if it names one that is no more, and if differences.txt and
docs/h5-differences.md are not what this run would write; --update writes them. Exits with 77 where Chromium is missing,
or the host was built without the engine. Taro's npm packages go to the folder of --npm, where they are missing;
--install does that alone.
"""

import argparse
import difflib
import hashlib
import itertools
import json
import os
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import compare
import sides

HERE = Path(__file__).resolve().parent
DOCUMENT = sides.ROOT / "docs" / "h5-differences.md"
RULES = HERE / "differences.json"
LIST = HERE / "differences.txt"


def install(home):
    """Puts the npm packages of package-lock.json there, unless they are."""
    wanted = [HERE / "package.json", HERE / "package-lock.json"]
    checksum = hashlib.sha256(b"".join(file.read_bytes() for file in wanted)).hexdigest()
    stamp = home / ".stamp"
    if stamp.exists() and stamp.read_text() == checksum:
        return
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    for file in wanted:
        shutil.copy(file, home)
    # What @tarojs/taro wants beside it are tools of Taro's builds.
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(["npm", "ci", "--legacy-peer-deps", "--ignore-scripts", *quiet], cwd=home, check=True)
    stamp.write_text(checksum)


def bundle(npm, entry, out):
    # What Taro's own build puts in.
    environment = json.dumps({"NODE_ENV": "production", "TARO_ENV": "h5", "TARO_PLATFORM": "web"})
    modules = npm / "node_modules"
    subprocess.run(
        [
            str(modules / ".bin" / "esbuild"),
            str(HERE / entry),
            "--bundle",
            f"--outfile={out}",
            "--format=iife",
            "--target=es2020",
            "--main-fields=main:h5,browser,module,main",
            "--log-level=error",
            f"--define:process.env={environment}",
        ],
        check=True,
        env={**os.environ, "NODE_PATH": str(modules)},
    )
    return out


def scenario_names():
    """All names, and those whose requests are not compared."""
    script = (
        "console.log(JSON.stringify(Object.entries(require(process.argv[1])).map(([n, s]) => [n, s.wire])))"
    )
    out = subprocess.run(
        ["node", "-e", script, str(HERE / "scenarios.js")], check=True, capture_output=True, text=True
    )
    return json.loads(out.stdout)


def play_both(options, names, unwired):
    work = options.work
    page = bundle(options.npm, "page.js", work / "page.js")
    app = work / "app"
    app.mkdir(exist_ok=True)
    # Its servers have no certificates: without debug only wss is allowed.
    (app / "app.json").write_text('{"debug": true}\n')
    bundle(options.npm, "app.js", app / "app.js")
    (work / "mini_host.log").write_text("")

    def in_browser():
        with sides.Server(options.certs) as server:
            lines, page_port = sides.browser(options.chromium, page, names, server, work, deadline=300)
            return sides.steps(lines, names, unwired, server, page_port)

    def in_mini_host():
        with sides.Server(options.certs) as server:
            lines = []
            for name in names:
                lines += sides.mini_app(options.host, name, app, server, work, deadline=20)
            return sides.steps(lines, names, unwired, server)

    with ThreadPoolExecutor() as pool:
        running = [pool.submit(side) for side in (in_browser, in_mini_host)]
        h5, ours = (one.result() for one in running)
    for side, steps in (("h5", h5), ("ours", ours)):
        (work / f"steps_{side}.json").write_text(json.dumps(steps, indent=1, ensure_ascii=False))
    return h5, ours


def head(names):
    version = json.loads((HERE / "package.json").read_text())["dependencies"]["@tarojs/taro-h5"]
    return (
        (HERE / "differences.head.md")
        .read_text()
        .replace("{version}", version)
        .replace("{scenarios}", str(len(names)))
    )


def committed(options, file, text):
    """What is wrong with a file that has to have this text."""
    if options.update:
        file.write_text(text)
        return []
    had = file.read_text() if file.exists() else ""
    if had == text:
        return []
    (options.work / file.name).write_text(text)
    changes = difflib.unified_diff(had.splitlines(), text.splitlines(), str(file), "this run", n=1, lineterm="")
    return [*itertools.islice(changes, 100), f"{file} is not what was seen; run this with --update if that is right"]


def report(options, h5, ours, names, whole):
    """How many things are wrong."""
    found = compare.differences(h5, ours)
    used, unknown, wrong = compare.judge(found, json.loads(RULES.read_text()))
    problems = [
        f"no rule names this: {one.scenario} / {one.lane} / {one.step} / {one.what}: Taro-H5 {one.h5}, here {one.ours}"
        for one in unknown
    ]
    if whole:
        problems += wrong
        for file, text in ((DOCUMENT, compare.document(head(names), used)), (LIST, compare.listed(used))):
            problems += committed(options, file, text)
    steps = sum(len(lane) for lanes in h5.values() for lane in lanes.values())
    print(
        *problems,
        f"{len(names)} scenarios, {steps} steps of Taro-H5, {len(found)} differences, {len(unknown)} without a rule",
        sep="\n",
    )
    return len(problems)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", type=shlex.split)
    parser.add_argument("--certs", type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--npm", type=Path, required=True)
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--chromium", default=sides.chromium_path())
    parser.add_argument("--update", action="store_true")
    parser.add_argument("scenarios", nargs="*")
    options = parser.parse_args()
    if options.install:
        install(options.npm)
        return 0
    if not options.host or not options.certs or not options.work:
        parser.error("--host, --certs and --work are needed")
    if not options.chromium:
        print("SKIPPED: there is no Chromium (Debian's package chromium)")
        return 77
    # With an app that is not there: it looks for the engine first.
    probe = subprocess.run([*options.host, "--flavour", "h5", os.devnull], capture_output=True, text=True)
    if probe.returncode == 77:
        print("SKIPPED:", probe.stderr.strip())
        return 77
    compare.self_test()
    options.work = options.work.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    install(options.npm)
    known = scenario_names()
    names = [name for name, _ in known if not options.scenarios or name in options.scenarios]
    unwired = {name for name, wired in known if not wired}
    h5, ours = play_both(options, names, unwired)
    return 1 if report(options, h5, ours, names, whole=not options.scenarios) else 0


if __name__ == "__main__":
    sys.exit(main())
