#!/usr/bin/env python3
"""protoc-gen-pipit on .proto files that nobody here wrote.

  tests/foreign/foreign.py --build BUILD debian    those that come with protoc
  tests/foreign/foreign.py --build BUILD sample    those of sample.txt, and what they import
  tests/foreign/foreign.py --build BUILD all       those, and those of the npm packages below (many minutes)

Each file, with --pipit_opt=long_names, is generated and all that is written is
compiled with no warning: C as C11, headers as C++17. Or it is in expected.txt,
with the reason for which it is not:

  proto2      the file is not proto3, or one of its messages has a field of such a file
  editions    the file is of an edition, which protoc 3.21 cannot read either
  streaming   it has a streaming method
  clash       two of its names are one in C
  import      it imports a file that fails
  protoc      protoc itself refuses the file, or finds no file that it imports

A file that fails and is not listed fails the test, and so does one that is
listed and passes. Packages are looked for in BUILD/npm/node_modules, or in
--modules; --install gets them from npm. Without them: 77, skipped.
"""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent

# package -> folders that imports are relative to. The versions are those that expected.txt is of.
PACKAGES = {
    "google-proto-files@6.0.1": ["."],
    "@grpc/grpc-js-xds@1.14.1": ["deps/envoy-api", "deps/googleapis", "deps/protoc-gen-validate", "deps/xds"],
    "@grpc/reflection@1.0.4": ["build/proto"],
    "@hashgraph/proto@2.25.0": ["src/proto"],
    "etcd3@1.1.2": ["proto"],
}
SAMPLED = "google-proto-files@6.0.1"
# Thousands of files from the same hands, in up to five versions of one API, of which nothing more is learnt.
LEFT_OUT = ("google/ads/", "google/cloud/")

WARNINGS = """-Wall -Wextra -Wpedantic -Werror -Wconversion -Wvla -Wpointer-arith -Wundef -Wformat=2
    -Wwrite-strings""".split()
C_FLAGS = [*WARNINGS, *"""-std=c11 -fsyntax-only -Wshadow -Wstrict-prototypes -Wmissing-prototypes
    -Wcast-function-type""".split()]
CXX_FLAGS = [*WARNINGS, *"-std=c++17 -fsyntax-only -x c++".split()]

REASONS = [  # in what protoc prints, the first that is found
    ("editions", re.compile(r"not editions|[Ee]dition")),
    ("proto2", re.compile(r"only proto3 is supported, not proto2|is not proto3: no code can be had")),
    ("streaming", re.compile(r"streaming is not supported")),
    ("clash", re.compile(r" in C, and so is ")),
]

# A group of files that see each other: label of its package, --proto_path in order, the files themselves.
Group = collections.namedtuple("Group", "label paths files")


def package_folder(modules, package):
    return modules / package.rsplit("@", 1)[0]


def is_of_package(file, folder):
    return "node_modules" not in file.relative_to(folder).parts


def files_below(folder, root):
    return sorted(str(f.relative_to(root)) for f in folder.rglob("*.proto") if is_of_package(f, folder))


def debian_group(tools):
    include = pathlib.Path(tools.proto_include)
    return Group("debian", [include], files_below(include / "google/protobuf", include))


def npm_groups(tools):
    groups = []
    for package, roots in PACKAGES.items():
        folder = package_folder(tools.modules, package)
        paths = [folder / root for root in roots]
        files = sorted({f for path in paths for f in files_below(path, path) if not f.startswith(LEFT_OUT)})
        groups.append(Group(package, [*paths, pathlib.Path(tools.proto_include)], files))
    return groups


def sample_group(tools):
    folder = package_folder(tools.modules, SAMPLED)
    files = [l for l in (HERE / "sample.txt").read_text().splitlines() if l and not l.startswith("#")]
    return Group(SAMPLED, [folder, pathlib.Path(tools.proto_include)], files)


def imports_of(group, file):
    """What a file imports, and those in turn, but for protoc's own."""
    seen, waiting = set(), [file]
    while waiting:
        name = waiting.pop()
        text = read(group, name)
        if name in seen or not text or name.startswith("google/protobuf/"):
            continue
        seen.add(name)
        waiting += re.findall(r'^\s*import\s+(?:public\s+|weak\s+)?"([^"]+)"', text, re.M)
    return seen


# --- generating --------------------------------------------------------------------------------


def protoc(tools, group, out, files):
    done = subprocess.run(
        [tools.protoc, f"--plugin=protoc-gen-pipit={tools.plugin}",
         f"--pipit_opt=long_names,protoc_gen_c={tools.protoc_gen_c}", f"--pipit_out={out}",
         *[f"-I{p}" for p in group.paths], *files],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    return "" if done.returncode == 0 else done.stdout


def generate_folder(tools, group, out, files):
    """{file: what protoc printed, "" if all is well}. All at once is quicker; one by one tells whose fault it is."""
    if not protoc(tools, group, out, files):
        return dict.fromkeys(files, "")
    return {f: protoc(tools, group, out, [f]) for f in files}


def for_folders(tools, files, function):
    """The dicts that @function makes of each folder's files, as one."""
    folders, results = collections.defaultdict(list), {}
    for file in files:
        folders[os.path.dirname(file)].append(file)
    for part in tools.pool.map(function, folders.values()):
        results.update(part)
    return results


def read(group, file):
    found = next((p / file for p in group.paths if (p / file).exists()), None)
    return found.read_text(errors="replace") if found else ""


def reason_of(group, file, printed):
    if not any(l.startswith("--pipit_out:") for l in printed.splitlines()):
        # a protoc that is older than editions takes them for broken proto2
        return "editions" if re.search(r"^\s*edition\s*=", read(group, file), re.M) else "protoc"
    return next((reason for reason, pattern in REASONS if pattern.search(printed)), "unknown")


# --- compiling ---------------------------------------------------------------------------------


def sources_of(out, file):
    stem = os.path.join(out, re.sub(r"\.proto$", "", file))
    return [s for s in (stem + e for e in (".pb-c.c", ".pipit.c", ".client.pipit.c", ".server.pipit.c"))
            if os.path.exists(s)]


def headers_of(out, file):
    stem = os.path.join(out, re.sub(r"\.proto$", "", file))
    return [stem + ".pb-c.h", stem + ".pipit.h"]


def run_compilers(tools, out, sources, headers):
    """What they print; empty: not a warning."""
    ours = ["client", "server/runtime", "core/rpc", "core/base"]
    include = [f"-I{out}", f"-I{tools.generated}", *[f"-I{ROOT / folder}" for folder in ours]]
    for command in (["gcc", *C_FLAGS, *include, *sources], ["g++", *CXX_FLAGS, *include, *headers]):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        if done.returncode != 0:
            return done.stdout or "failed"
    return ""


def compile_alone(tools, out, failed, file):
    """The reason that it does not compile and what was printed, or None."""
    printed = run_compilers(tools, out, sources_of(out, file), headers_of(out, file))
    if not printed:
        return None
    missing = re.search(r"fatal error: (\S+)\.(?:pb-c|pipit)\.h: No such file", printed)
    return "import" if missing and missing.group(1) + ".proto" in failed else "compiler", printed


def compile_as_one(tools, out, files):
    """All of a folder included into one source and one header, which is many times quicker."""
    with tempfile.TemporaryDirectory() as folder:
        for name, of in (("one.c", sources_of), ("one.h", headers_of)):
            lines = [f'#include "{part}"\n' for file in files for part in of(out, file)]
            pathlib.Path(folder, name).write_text("".join(lines))
        return not run_compilers(tools, out, [f"{folder}/one.c"], [f"{folder}/one.h"])


def compile_folder(tools, out, failed, files, at_once):
    if at_once and len(files) > 1 and compile_as_one(tools, out, files):
        return dict.fromkeys(files)
    return {f: compile_alone(tools, out, failed, f) for f in files}


# --- judging -----------------------------------------------------------------------------------


def expected():
    """{"LABEL FILE": reason}"""
    lines = [l.split(" ", 1) for l in (HERE / "expected.txt").read_text().splitlines() if l and not l.startswith("#")]
    return {file: reason for reason, file in lines}


def run_group(tools, group, only=None):
    """{file: (reason or None, what was printed)}, of @only or of all."""
    with tempfile.TemporaryDirectory() as out:
        printed = for_folders(tools, group.files, lambda f: generate_folder(tools, group, out, f))
        results = {f: (reason_of(group, f, text), text) for f, text in printed.items() if text}
        failed = set(results)
        wanted = [f for f in printed if f not in failed and (only is None or f in only)]
        compiled = for_folders(
            tools, wanted, lambda f: compile_folder(tools, out, failed, f, at_once=only is None))
        results.update({f: r or (None, "") for f, r in compiled.items()})
        return results


def judge(label, results, listed):
    problems = 0
    for file, (reason, printed) in sorted(results.items()):
        want = listed.get(f"{label} {file}")
        if reason == want:
            continue
        problems += 1
        print(f"FAILED {label} {file}: {reason or 'passes'}, but expected.txt says {want or 'nothing of it'}")
        print("\n".join(printed.splitlines()[:8]))
    return problems


def report(label, results):
    reasons = collections.Counter(reason for reason, _ in results.values())
    compiled = reasons.pop(None, 0)
    total = compiled + sum(reasons.values())
    failed = ", ".join(f"{n} {reason}" for reason, n in sorted(reasons.items())) or "none"
    print(f"{label}: {total} files, {compiled} generated and compiled; not: {failed}")


def write_expected(all_results):
    head = "".join(l for l in (HERE / "expected.txt").read_text().splitlines(keepends=True) if l.startswith("#"))
    lines = sorted(f"{reason} {label} {file}" for label, results in all_results.items()
                   for file, (reason, _) in results.items() if reason)
    (HERE / "expected.txt").write_text(head + "\n".join(lines) + "\n")


# --- packages ----------------------------------------------------------------------------------


def install(tools, packages):
    tools.modules.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts",
                    "--prefix", str(tools.modules.parent), *packages], check=False)


def need(tools, packages):
    missing = [p for p in packages if not package_folder(tools.modules, p).is_dir()]
    if missing and tools.install and shutil.which("npm"):
        install(tools, missing)
        missing = [p for p in packages if not package_folder(tools.modules, p).is_dir()]
    if missing:
        print(f"SKIPPED, protos of others are NOT tried: {' '.join(missing)} not in {tools.modules}\n"
              f"(npm install --prefix {tools.modules.parent} {' '.join(missing)})")
        sys.exit(77)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=["debian", "sample", "all"])
    parser.add_argument("--build", required=True, help="the build folder")
    parser.add_argument("--plugin", help="protoc-gen-pipit; that of the build folder without it")
    parser.add_argument("--protoc", default="protoc")
    parser.add_argument("--protoc-gen-c", default=shutil.which("protoc-gen-c"))
    parser.add_argument("--proto-include", default="/usr/include", help="where google/protobuf is")
    parser.add_argument("--modules", type=pathlib.Path, help="node_modules; FOREIGN_MODULES in the environment")
    parser.add_argument("--install", action="store_true", help="get packages that are missing from npm")
    parser.add_argument("--update", action="store_true", help="with all: write expected.txt anew")
    tools = parser.parse_args()
    tools.plugin = tools.plugin or f"{tools.build}/gen/protoc-gen-pipit"
    tools.generated = f"{tools.build}/proto"
    tools.modules = tools.modules or pathlib.Path(
        os.environ.get("FOREIGN_MODULES", f"{os.path.abspath(tools.build)}/npm/node_modules"))
    tools.pool = concurrent.futures.ThreadPoolExecutor(2)

    groups, only = [debian_group(tools)], None
    if tools.which == "sample":
        need(tools, [SAMPLED])
        group = sample_group(tools)
        only = set(group.files)
        groups = [group._replace(files=sorted(set().union(*[imports_of(group, f) for f in only])))]
    elif tools.which == "all":
        need(tools, PACKAGES)
        groups += npm_groups(tools)

    listed, all_results, problems = expected(), {}, 0
    for group in groups:
        results = all_results[group.label] = run_group(tools, group, only)
        report(group.label, results)
        sys.stdout.flush()
        if not tools.update:
            problems += judge(group.label, results, listed)
    if not any(all_results.values()):
        sys.exit("no files")
    if tools.which == "all" and not tools.update:
        for gone in sorted(listed.keys() - {f"{l} {f}" for l, r in all_results.items() for f in r}):
            print(f"FAILED {gone}: is listed, but is not there")
            problems += 1
    if tools.update:
        write_expected(all_results)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
